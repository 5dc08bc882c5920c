/**
 * What `@federate/promise` costs who imports it, installed from its tarball into an empty project: time and memory of the
 * plain import of what Cognito and Entra need, and of the first token; and how often a token in hand is had. Beside it the
 * peers, and the same by hand. Each run is a process of its own.
 */
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Sandbox } from "@federate/sandbox"

const rounds = 9
const root = fileURLToPath(new URL("..", import.meta.url))
const project = mkdtempSync(join(tmpdir(), "federate-import-"))

/** Cognito's token by the AWS SDK, kept by hand: what who federates with a peer writes. */
const byHand = `import { CognitoIdentityClient, GetOpenIdTokenForDeveloperIdentityCommand } from "@aws-sdk/client-cognito-identity"
const assertion = async () => {
  const client = new CognitoIdentityClient({ region: process.env.AWS_REGION })
  const { Token } = await client.send(new GetOpenIdTokenForDeveloperIdentityCommand({
    IdentityPoolId: process.env.COGNITO_IDENTITY_POOL_ID,
    Logins: { "my.dev.provider": "my_user_id" }
  }))
  return Token
}
`
const scope = `"https://graph.microsoft.com/.default"`

/** Each exports what makes a function that gives a token. */
const contestants = {
  "an empty module": `export const make = () => () => "none"`,
  "@federate/promise": `import { createFlow } from "@federate/promise"
import { cognito } from "@federate/promise/cognito"
import { entra } from "@federate/promise/entra"
export const make = () => {
  const flow = createFlow({
    source: cognito({
      identityPoolId: process.env.COGNITO_IDENTITY_POOL_ID,
      logins: { "my.dev.provider": "my_user_id" }
    }),
    exchanger: entra({
      tenantId: process.env.AZURE_TENANT_ID,
      clientId: process.env.AZURE_CLIENT_ID,
      authorityHost: process.env.AZURE_AUTHORITY_HOST
    })
  })
  return async () => (await flow.getToken(${scope})).token
}`,
  "@azure/msal-node, AWS SDK": `import { ConfidentialClientApplication } from "@azure/msal-node"
${byHand}
export const make = () => {
  const { AZURE_AUTHORITY_HOST, AZURE_CLIENT_ID, AZURE_TENANT_ID } = process.env
  const application = new ConfidentialClientApplication({
    auth: {
      clientId: AZURE_CLIENT_ID,
      authority: \`\${AZURE_AUTHORITY_HOST}/\${AZURE_TENANT_ID}\`,
      knownAuthorities: [new URL(AZURE_AUTHORITY_HOST).host],
      clientAssertion: assertion
    }
  })
  const request = { scopes: [${scope}] }
  return async () => (await application.acquireTokenByClientCredential(request)).accessToken
}`,
  "@azure/identity, AWS SDK": `import { ClientAssertionCredential } from "@azure/identity"
${byHand}
export const make = () => {
  const { AZURE_AUTHORITY_HOST, AZURE_CLIENT_ID, AZURE_TENANT_ID } = process.env
  const credential = new ClientAssertionCredential(AZURE_TENANT_ID, AZURE_CLIENT_ID, assertion, {
    authorityHost: AZURE_AUTHORITY_HOST,
    disableInstanceDiscovery: true
  })
  return async () => (await credential.getToken(${scope})).token
}`,
  // What it cannot do without: it neither remembers nor refreshes, and tells no error.
  "fetch, AWS SDK": `${byHand}
export const make = () => async () => {
  const { AZURE_AUTHORITY_HOST, AZURE_CLIENT_ID, AZURE_TENANT_ID } = process.env
  const response = await fetch(\`\${AZURE_AUTHORITY_HOST}/\${AZURE_TENANT_ID}/oauth2/v2.0/token\`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: AZURE_CLIENT_ID,
      scope: ${scope},
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await assertion()
    })
  })
  return (await response.json()).access_token
}`
}

const names = Object.keys(contestants)
const acts = ["import", "token", "cached"] as const

/** How long tokens in hand are asked for, in milliseconds. */
const askedFor = 500

/** Does what it is told, and then tells in one line what memory that took, and how often a token was had in a second. */
const runner = `const { make } = await import(process.argv[2])
let calls = 0
if (process.argv[3] !== "import") {
  const token = make()
  if (typeof await token() !== "string") throw new Error("there is no token")
  if (process.argv[3] === "cached") {
    const end = performance.now() + ${askedFor}
    // The clock is looked at now and then.
    do for (let turn = 0; turn < 20; turn++, calls++) await token()
    while (performance.now() < end)
    calls *= 1000 / (performance.now() - end + ${askedFor})
  }
}
console.log(process.resourceUsage().maxRSS, calls)
process.exit()
`

const sandbox = await Sandbox.start({ directory: project })
try {
  install()
  await measure()
} finally {
  await sandbox[Symbol.asyncDispose]()
  rmSync(project, { recursive: true, force: true })
}

function install() {
  execFileSync("pnpm", ["pack", "--pack-destination", project], { cwd: root, stdio: "ignore" })
  const tarball = readdirSync(project).find((name) => name.endsWith(".tgz"))!
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }))
  const peers = ["@azure/identity", "@azure/msal-node", "@aws-sdk/client-cognito-identity"]
  execFileSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--silent", `./${tarball}`, ...peers],
    { cwd: project, stdio: ["ignore", "ignore", "inherit"] }
  )
  writeFileSync(join(project, "run.mjs"), runner)
  names.forEach((name, index) => {
    // Its own names are the keys.
    writeFileSync(join(project, `${index}.mjs`), contestants[name as keyof typeof contestants])
  })
}

interface Run {
  /** From the process's start to its line, in milliseconds. */
  readonly time: number
  /** The most resident memory, in MiB. */
  readonly memory: number
  /** Tokens in hand, a second. */
  readonly calls: number
}

async function timed(index: number, act: string): Promise<Run> {
  const started = performance.now()
  const child = spawn(process.execPath, ["run.mjs", `./${index}.mjs`, act], {
    cwd: project,
    env: { PATH: process.env["PATH"], ...sandbox.env },
    stdio: ["ignore", "pipe", "inherit"]
  })
  const exited = once(child, "exit")
  for await (const line of createInterface(child.stdout)) {
    const time = performance.now() - started
    await exited
    const [memory, calls] = line.split(" ").map(Number)
    return { time, memory: memory! / 1024, calls: calls! }
  }
  throw new Error(`${names[index]}: ${act} failed`)
}

async function measure() {
  const runs = names.map(() => ({
    import: [] as Array<Run>,
    token: [] as Array<Run>,
    cached: [] as Array<Run>
  }))
  // Interleaved, so that what else the machine does is shared by all; the first round warms its caches.
  for (let round = 0; round <= rounds; round++) {
    for (const act of acts) {
      for (const [index] of names.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const done = await timed(index, act)
        if (round > 0) runs[index]![act].push(done)
      }
    }
  }
  const medians = runs.map((done) => [
    middle(done.import, "time"),
    middle(done.import, "memory"),
    middle(done.token, "time"),
    middle(done.token, "memory"),
    middle(done.cached, "calls")
  ])
  const columns = ["import, ms", "MiB", "first token, ms", "MiB", "tokens in hand, a second"]
  console.log(`| | ${columns.join(" | ")} |\n|---|${columns.map(() => "---:|").join("")}`)
  names.forEach((name, index) => {
    const figures = medians[index]!.map((figure) => Math.round(figure).toLocaleString("en"))
    console.log(`| ${name} | ${figures.join(" | ")} |`)
  })
  // The last is no peer: it does not what they do.
  const [, ours, ...peers] = medians.slice(0, -1)
  const aims = [
    ["imported before every peer", peers.every((peer) => ours![0]! < peer[0]!)],
    ["the first token before every peer's", peers.every((peer) => ours![2]! < peer[2]!)],
    ["with less memory than every peer", peers.every((peer) => ours![3]! < peer[3]!)],
    ["a token in hand sooner than every peer's", peers.every((peer) => ours![4]! > peer[4]!)]
  ] as const
  for (const [aim, met] of aims) console.log(`${met ? "✓" : "✗"} ${aim}`)
  if (!aims.every(([, met]) => met)) process.exitCode = 1
}

function middle(done: ReadonlyArray<Run>, what: keyof Run): number {
  return done.map((run) => run[what]).toSorted((a, b) => a - b)[Math.floor(done.length / 2)]!
}
