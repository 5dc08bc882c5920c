import { execFile, execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Sandbox } from "@federate/sandbox"
import { Match, Template } from "aws-cdk-lib/assertions"
import { afterAll, beforeAll, expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

// Below the example, where what Lambda's runtime has is found: the AWS SDK.
let output: string
let template: Template

beforeAll(() => {
  output = mkdtempSync(join(root, "node_modules/cdk.out-"))
  execFileSync("node_modules/.bin/cdk", ["synth", "--quiet", "--output", output], {
    cwd: root,
    stdio: "pipe"
  })
  // It was written a line ago.
  template = Template.fromJSON(
    JSON.parse(readFileSync(join(output, "LambdaToGraph.template.json"), "utf8")) as object
  )
})

afterAll(() => {
  rmSync(output, { recursive: true, force: true })
})

it("is a function that may ask for tokens of its pool, and nothing else", () => {
  template.hasResourceProperties("AWS::Lambda::Function", {
    Handler: "handler.handler",
    Runtime: "nodejs22.x",
    Timeout: 60,
    Environment: {
      Variables: {
        COGNITO_IDENTITY_POOL_ID: { Ref: Match.stringLikeRegexp("^IdentityPool") },
        AZURE_TENANT_ID: { Ref: "TenantId" },
        AZURE_CLIENT_ID: { Ref: "ClientId" }
      }
    }
  })
  template.resourcePropertiesCountIs(
    "AWS::IAM::Policy",
    {
      Roles: [{ Ref: Match.stringLikeRegexp("^FunctionServiceRole") }],
      PolicyDocument: {
        Statement: [
          {
            Effect: "Allow",
            Action: [
              "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
              "cognito-identity:GetId"
            ],
            Resource: Match.objectLike({ "Fn::Join": Match.anyValue() })
          }
        ]
      }
    },
    1
  )
})

it("puts out what Entra must be told", () => {
  const outputs = Object.keys(template.findOutputs("*")).map(
    (name) => /^[A-Z][a-z]+[A-Z][a-z]+/.exec(name)?.[0]
  )
  expect(outputs.toSorted()).toEqual([
    "FunctionName",
    "IdentityAudience",
    "IdentityIssuer",
    "IdentitySubject"
  ])
})

it("deploys the handler itself, which lists the applications", async () => {
  const [handler] = Object.values(
    template.findResources("AWS::Lambda::Function", {
      Properties: { Handler: "handler.handler" }
    })
  )
  const asset = String(handler!["Metadata"]["aws:asset:path"])
  await using sandbox = await Sandbox.start({ directory: output })
  const program = `console.log(JSON.stringify(await (await import(${JSON.stringify(`${join(output, asset)}/handler.mjs`)})).handler()))`
  const child = execFileAsync(process.execPath, ["--input-type=module", "--eval", program], {
    PATH: process.env["PATH"],
    ...sandbox.env
  })
  expect(JSON.parse(await child)).toEqual([
    { appId: sandbox.entra.clientId, displayName: "federate-first-journey" }
  ])
})

/** Its standard output. The sandbox is in this process, which must go on answering. */
const execFileAsync = (file: string, args: ReadonlyArray<string>, env: NodeJS.ProcessEnv) =>
  new Promise<string>((resolve, reject) => {
    execFile(file, args, { cwd: output, env }, (error, stdout) => {
      if (error === null) resolve(stdout)
      else reject(error)
    })
  })
