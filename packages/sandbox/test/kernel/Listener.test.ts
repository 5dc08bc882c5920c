import { createServer } from "node:http"
import { get } from "node:https"
import { connect } from "node:tls"
import type { PeerCertificate } from "node:tls"
import { Sandbox, SandboxError } from "@federate/sandbox"
import type { Options } from "@federate/sandbox"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"

const refusal = (options: Options) =>
  Sandbox.start(options).then(
    () => assert.fail("It started"),
    (error: unknown) => {
      assert.instanceOf(error, SandboxError)
      return error.message
    }
  )

describe("the sockets", () => {
  it.each(["0.0.0.0", "::", "192.168.1.1", "127.0.0.2", "example.com", ""])(
    "are not opened beyond loopback: %s",
    async (host) => {
      assert.match(
        await refusal({ host }),
        /^A sandbox listens on localhost, 127\.0\.0\.1, ::1 and nowhere else/
      )
    }
  )

  it.each(["localhost", "127.0.0.1"])("are opened on %s", async (host) => {
    await using sandbox = await Sandbox.start({ host, setup: "empty" })
    const { port } = new URL(sandbox.http)
    const response = await fetch(`http://${host}:${port}/.well-known/openid-configuration`)
    assert.strictEqual(response.status, 200)
  })

  it("have the ports that were asked for", async () => {
    await using first = await Sandbox.start({ setup: "empty" })
    const httpPort = Number(new URL(first.http).port)
    assert.match(
      await refusal({ httpPort }),
      new RegExp(`Cannot listen on 127\\.0\\.0\\.1, port ${httpPort}: it is taken`)
    )
    assert.match(await refusal({ httpsPort: httpPort }), /it is taken/)
  })

  it("are closed when the sandbox is disposed of, with a failed start too", async () => {
    const sandbox = await Sandbox.start({ setup: "empty" })
    const { port } = new URL(sandbox.http)
    await sandbox[Symbol.asyncDispose]()
    assert.isTrue(
      await fetch(sandbox.http).then(
        () => false,
        () => true
      )
    )
    // The first socket of a sandbox whose second port is taken.
    const blocker = createServer().listen(0, "127.0.0.1")
    await new Promise((resolve) => blocker.once("listening", resolve))
    const address = blocker.address()
    const httpsPort = typeof address === "object" ? (address?.port ?? 0) : 0
    assert.match(await refusal({ httpPort: Number(port), httpsPort }), /it is taken/)
    await using again = await Sandbox.start({ setup: "empty", httpPort: Number(port) })
    assert.strictEqual(new URL(again.http).port, port)
    blocker.close()
  })
})

describe("the certificate", () => {
  it.effect("is for localhost, 127.0.0.1 and ::1, by a CA that is handed out", () =>
    Effect.gen(function* () {
      const { caPem, https } = yield* Sandbox.make({ setup: "empty" })
      const port = Number(new URL(https).port)
      const certificate = yield* Effect.promise(
        () =>
          new Promise<PeerCertificate>((resolve, reject) => {
            const socket = connect({ host: "127.0.0.1", port, ca: caPem }, () => {
              assert.isTrue(socket.authorized)
              resolve(socket.getPeerCertificate())
              socket.destroy()
            })
            socket.once("error", reject)
          })
      )
      assert.strictEqual(
        certificate.subjectaltname,
        "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1"
      )
      assert.isTrue(Date.parse(certificate.valid_to) > Date.now() + 86_400_000)
    })
  )

  it("is trusted by this process only when it is asked to, and until it is asked not to", async () => {
    await using sandbox = await Sandbox.start({ setup: "empty" })
    const url = `${sandbox.https}/.well-known/openid-configuration`
    /** A connection of its own each time: `fetch` would keep one that was once trusted. */
    const trusted = () =>
      new Promise<boolean>((resolve) => {
        get(url, { agent: false }, (response) => {
          response.resume()
          resolve(response.statusCode === 200)
        }).once("error", () => resolve(false))
      })
    assert.isFalse(await trusted())
    const undo = sandbox.trust()
    assert.isTrue(await trusted())
    undo()
    assert.isFalse(await trusted())
  })

  it("is another one for each sandbox", async () => {
    await using first = await Sandbox.start({ setup: "empty" })
    await using second = await Sandbox.start({ setup: "empty" })
    assert.notStrictEqual(first.caPem, second.caPem)
  })
})
