/** What has no cloud's machine under it: jobs of CI systems, hosts of functions, files, variables and programs. */
import { once } from "node:events"
import { chmod, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { IncomingMessage, RequestListener } from "node:http"
import { join } from "node:path"
import { Effect } from "effect"
import { listening } from "./listening.ts"
import type { Plain, Platform, World } from "./platforms.ts"

export const makeJobs = Effect.fnUntraced(function* (
  world: World,
  plain: (issuer: string, subject: string) => Plain
) {
  const { folder, sandbox, variables } = world
  const file = async (name: string, text: string) => {
    const path = join(folder, name)
    await writeFile(path, text)
    return path
  }

  /** Where a platform leaves a token in a variable. */
  const variable = (name: string, { token, workload }: Plain, settings: object = {}): Platform => ({
    workload,
    source: async (audience) => {
      variables.set(name, await token(audience))
      return { ...settings }
    }
  })

  const job = sandbox.github.startJob()
  const jobs: Record<string, Platform> = {
    "github-actions": {
      workload: (audience) => ({ issuer: sandbox.github.issuer, subject: job.subject, audience }),
      source: async (audience) => {
        for (const [name, value] of Object.entries(job.variables)) variables.set(name, value)
        return { audience }
      }
    },
    gitlab: variable(
      "ID_TOKEN",
      plain("gitlab", "project_path:octo/app:ref_type:branch:ref:main"),
      {
        variable: "ID_TOKEN"
      }
    ),
    "azure-pipelines": yield* azurePipelines(plain("devops", "sc://octo/app/cloud"), variables),
    buildkite: yield* buildkite(plain("buildkite", "organization:octo:pipeline:app"), variables),
    circleci: circleci(plain("circleci", "org/1/project/2/user/3"), world),
    "hcp-terraform": variable(
      "TFC_WORKLOAD_IDENTITY_TOKEN",
      plain("terraform", "organization:octo:project:app:workspace:main:run_phase:apply")
    ),
    vercel: vercel(plain("vercel", "owner:octo:project:app:environment:production"), variables),
    fly: yield* fly(plain("fly", "octo:app:machine"), folder),
    file: {
      ...plain("file", "workload"),
      source: async (audience) => ({
        path: await file("token", await plain("file", "workload").token(audience))
      })
    },
    environment: variable("TOKEN", plain("variable", "workload"), { variable: "TOKEN" }),
    executable: executable(plain("program", "workload"), world)
  }
  return jobs
})

const read = async (request: IncomingMessage): Promise<Readonly<Record<string, string>>> => {
  const chunks: Array<Buffer> = []
  // Without an encoding they are buffers.
  for await (const chunk of request) chunks.push(chunk as Buffer)
  // Each of these platforms is sent an object.
  return JSON.parse(Buffer.concat(chunks).toString() || "{}")
}

/** Answers whoever shows the job's key. */
const signing =
  (
    key: string,
    answer: (asked: Readonly<Record<string, string>>) => Promise<unknown>
  ): RequestListener =>
  async (request, response) => {
    const asked = await read(request)
    if (request.headers.authorization !== key) return response.writeHead(403).end()
    return response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(await answer(asked)))
  }

/** For Entra alone, whoever asks. */
const azurePipelines = Effect.fnUntraced(function* (
  { token, workload }: Plain,
  variables: World["variables"]
) {
  const audience = "api://AzureADTokenExchange"
  const uri = yield* listening(
    signing("Bearer the-job", async () => ({ oidcToken: await token(audience) }))
  )
  variables.set("SYSTEM_OIDCREQUESTURI", uri)
  variables.set("SYSTEM_ACCESSTOKEN", "the-job")
  return {
    workload: () => workload(audience),
    source: async () => ({ serviceConnectionId: "00000000-0000-4000-8000-000000000001" })
  }
})

const buildkite = Effect.fnUntraced(function* (
  { token, workload }: Plain,
  variables: World["variables"]
) {
  const api = yield* listening(
    signing("Token the-agent", async ({ audience = "" }) => ({ token: await token(audience) }))
  )
  variables.set("BUILDKITE_AGENT_ENDPOINT", api)
  variables.set("BUILDKITE_JOB_ID", "a-job")
  variables.set("BUILDKITE_AGENT_ACCESS_TOKEN", "the-agent")
  return { workload, source: async (audience: string) => ({ audience }) }
})

/** A program that prints what is in a file. */
const printing = async (name: string, token: string, { folder }: World) => {
  const path = join(folder, name)
  await writeFile(`${path}.token`, token)
  await writeFile(path, `#!/bin/sh\ncat '${path}.token'\n`)
  await chmod(path, 0o700)
  return path
}

const circleci = ({ token, workload }: Plain, world: World): Platform => ({
  workload,
  source: async (audience) => {
    world.variables.set("CIRCLECI", "true")
    return { audience, command: await printing("circleci", await token(audience), world) }
  }
})

const executable = ({ token, workload }: Plain, world: World): Platform => ({
  workload,
  source: async (audience) => {
    world.variables.set("FEDERATE_ALLOW_EXECUTABLES", "1")
    return {
      command: [await printing("program", await token(audience), world), "{audience}"],
      audience
    }
  }
})

/** The project's own token, and others for it at an address that nothing changes. */
const vercel = ({ token, workload }: Plain, variables: World["variables"]): Platform => ({
  workload,
  source: async (audience) => {
    variables.set("VERCEL_OIDC_TOKEN", await token("https://vercel.com/octo"))
    return { audience }
  },
  fetch: async (url, init) => {
    if (url !== "https://oidc.vercel.com/~token") return fetch(url, init)
    // As the source sends it.
    const { aud } = JSON.parse(String(init.body)) as { readonly aud: string }
    return Response.json({ token: await token(aud) })
  }
})

/** The machine's own API, on a unix socket. */
const fly = Effect.fnUntraced(function* ({ token, workload }: Plain, folder: string) {
  const socket = join(folder, "fly.sock")
  yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer(async (request, response) =>
        response.end(await token((await read(request))["aud"] ?? ""))
      ).listen(socket)
      await once(server, "listening")
      return server
    }),
    (server) => Effect.sync(() => void server.close().closeAllConnections())
  )
  return { workload, source: async (audience: string) => ({ audience, socket }) }
})
