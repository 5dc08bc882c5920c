import { execFileSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { assertions, serving, tokens } from "../serving.ts"

describe("what the API and the pages need", () => {
  it("is not loaded with the broker", () => {
    const script = `
      import { registerHooks } from "node:module"
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      await import("@federate/broker")
      process.stdout.write(JSON.stringify(loaded))`
    const loaded = JSON.parse(
      execFileSync(
        process.execPath,
        ["--conditions=@federate/source", "--input-type=module", "--eval", script],
        { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }
      )
    ) as ReadonlyArray<string>
    assert.isTrue(loaded.some((url) => url.endsWith("/broker/src/Broker.ts")))
    const unwanted = /\/effect\/dist\/(Schema|http\/|http-api\/)|\/broker\/src\/(page\/|api\/serve)/
    assert.deepEqual(
      loaded.filter((url) => unwanted.test(url)),
      []
    )
  })

  it.live("goes with the broker", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { ask } = yield* Scope.provide(
        Effect.flatMap(tokens("graph"), ({ served }) => serving([served])),
        scope
      )
      assert.strictEqual((yield* ask("/v1/flows")).status, 200)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(ask("/v1/flows"))))
    })
  )
})

describe("the page at /", () => {
  it.live("is a metadata server's root where one is served", () =>
    Effect.gen(function* () {
      const { served } = yield* assertions("plain")
      const { ask } = yield* serving([served])
      const root = yield* ask("/", { headers: { "Metadata-Flavor": "Google" } })
      assert.strictEqual(root.status, 200)
      assert.strictEqual(root.headers["metadata-flavor"], "Google")
      assert.strictEqual(root.headers["server"], "Metadata Server for VM")
      for (const without of [
        yield* serving([served], { withoutSecret: ["azure-imds"] }),
        yield* serving([(yield* tokens("graph")).served])
      ]) {
        const plain = yield* without.ask("/")
        assert.strictEqual(plain.status, 200)
        assert.notProperty(plain.headers, "metadata-flavor")
      }
    })
  )

  it.live("may do no more than it must, and stand in no frame", () =>
    Effect.gen(function* () {
      const { ask } = yield* serving([])
      for (const path of ["/", "/docs"]) {
        const { headers, text } = yield* ask(path)
        assert.strictEqual(headers["content-type"], "text/html; charset=utf-8")
        const policy = String(headers["content-security-policy"])
        assert.match(policy, /^default-src 'none'; /)
        assert.match(policy, /base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/)
        assert.notMatch(policy, /unsafe|\*|https?:/)
        assert.strictEqual(policy.includes("script-src"), path === "/")
        assert.strictEqual(headers["x-frame-options"], "DENY")
        assert.strictEqual(headers["referrer-policy"], "no-referrer")
        assert.notMatch(text, /(src|href)="(https?:)?\/\//)
      }
    })
  )
})
