import { mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { kubernetes } from "@federate/ambient"
import { AssertionSource } from "@federate/core"
import { ambientSourceContract, assertionFor } from "@federate/testing"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"

const subject = "system:serviceaccount:default:workload"
const jwt = Redacted.value(assertionFor(subject, 0, { aud: ["party"] }).token)

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "federate-"))),
  (made) => Effect.promise(() => rm(made, { recursive: true }))
)

/** A volume with this in it for a while. */
const mounted = (text: string) =>
  Effect.gen(function* () {
    const tokenFile = join(yield* directory, "token")
    yield* Effect.promise(async () => {
      await writeFile(tokenFile, text)
      await utimes(tokenFile, 0, 0)
    })
    return yield* kubernetes({ tokenFile })
  })

ambientSourceContract("The projected token", {
  make: mounted(jwt),
  assertion: jwt,
  life: 900,
  refused: [
    { name: "no volume", make: kubernetes(), becomes: "Unavailable", hint: /projected volume/ },
    {
      name: "a token that nobody renews",
      make: mounted(Redacted.value(assertionFor(subject, 0, { exp: 0 }).token)),
      becomes: "Misconfigured",
      hint: /subPath/
    },
    {
      name: "the volume in place of the file",
      make: Effect.flatMap(directory, (tokenFile) => kubernetes({ tokenFile })),
      becomes: "Misconfigured"
    },
    { name: "an empty file", make: mounted(""), becomes: "Transient" },
    { name: "another file", make: mounted("opaque"), becomes: "Malformed" }
  ]
})

describe("the projected token", () => {
  it.live("is the newest, however often the kubelet swaps the links to it", () =>
    Effect.gen(function* () {
      const volume = yield* directory
      const swap = (name: string, text: string) =>
        Effect.promise(async () => {
          // As the kubelet's atomic writer does: token -> ..data/token, ..data -> a directory of its own.
          const data = await mkdtemp(join(volume, `..${name}`))
          await writeFile(join(data, "token"), text)
          await symlink(data, join(volume, "..data_tmp"))
          await rename(join(volume, "..data_tmp"), join(volume, "..data"))
        })
      yield* Effect.promise(() => symlink(join("..data", "token"), join(volume, "token")))
      const source = yield* kubernetes({ tokenFile: join(volume, "token") })
      for (const name of ["one", "two"]) {
        const exp = Date.now() / 1000 + 3600
        yield* swap(name, Redacted.value(assertionFor(name, 0, { exp }).token))
        assert.strictEqual((yield* source.assertion({})).subject, name)
      }
    })
  )

  it.effect("that has ended is told by when, not handed out", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(3_600_000)
      const source = yield* mounted(jwt)
      const { message } = yield* Effect.flip(source.assertion({}))
      assert.match(message, /ended at 1970-01-01T00:15:00\.000Z/)
    })
  )

  it.effect("is for whom the manifest says, and the hint is where", () =>
    Effect.gen(function* () {
      const source = yield* mounted(jwt)
      yield* source.assertion({ audience: "party", preferredAudience: "another" })
      const { message } = yield* Effect.flip(source.assertion({ audience: "other" }))
      assert.match(message, /"other" is demanded, and the token is for "party"/)
      assert.match(message, /`audience: other` for the serviceAccountToken/)
    })
  )

  it.live("lets the next source try, where there is no pod", () =>
    Effect.gen(function* () {
      const other = AssertionSource.fixed(assertionFor("elsewhere"))
      const source = AssertionSource.firstAvailable(yield* kubernetes(), other)
      assert.strictEqual((yield* source.assertion({})).subject, "elsewhere")
    })
  )

  it.effect("is never the pod's key to its own API server", () =>
    Effect.gen(function* () {
      const tokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
      const { message, stage } = yield* Effect.flip(kubernetes({ tokenFile }))
      assert.strictEqual(stage, "configuration")
      assert.match(message, /key to its API server.*kubernetes-token-request/)
    })
  )
})
