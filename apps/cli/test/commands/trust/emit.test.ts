import { assert, describe, it } from "@effect/vitest"
import { parse } from "@cdktf/hcl2json"
import { App, Stack } from "aws-cdk-lib"
import { Template } from "aws-cdk-lib/assertions"
import { CfnInclude } from "aws-cdk-lib/cloudformation-include"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { needs } from "../../../../../scripts/debian.ts"
import { federate } from "../../command.ts"
import { TrustStack } from "../../emitted/TrustStack.ts"
import { folder } from "../../folder.ts"

const config = `flows:
  graph:
    source:
      type: cognito
      identityPoolId: \${EMITTED_IDENTITY_POOL_ID}
      logins: { my.dev.provider: my_user_id }
    exchanger:
      type: entra
      tenantId: 00000000-0000-0000-0000-000000000000
      clientId: \${EMITTED_CLIENT_ID}
      scopes: [https://graph.microsoft.com/.default]
trust:
  graph:
    source: { role: reader }
    exchanger: { appRoles: [Application.Read.All] }
`

/** The commands that a script calls of a tool, with their options, by running it with one in its place that takes anything. */
const commands = (
  place: string,
  script: string,
  tool: string
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const record = join(place, "called")
  writeFileSync(record, "")
  writeFileSync(
    join(place, basename(tool)),
    `#!/bin/sh\n{ printf '%s\\037' "$@"; printf '\\036'; } >> ${record}\necho a:b:c:d:e:f\n`,
    { mode: 0o755 }
  )
  execFileSync("/bin/sh", ["-c", script], {
    env: { PATH: `${place}:/usr/bin:/bin`, ISS: "iss", SUB: "sub", AUD: "aud" }
  })
  const called = new Map<string, ReadonlyArray<string>>()
  for (const call of readFileSync(record, "utf8").split("\u001E").slice(0, -1)) {
    const argv = call.split("\u001F")
    const command = argv
      .slice(
        0,
        argv.findIndex((each) => each.startsWith("-"))
      )
      .join(" ")
    const options = argv.filter((each) => each.startsWith("--"))
    called.set(command, [...(called.get(command) ?? []), ...options])
  }
  return called
}

/** The options that a command's help lists; a command that is none has no help. */
const helpOf = (home: string, tool: string, command: string): ReadonlyArray<string> => {
  const help = execFileSync(
    tool,
    [...command.split(" "), basename(tool) === "aws" ? "help" : "--help"],
    {
      encoding: "utf8",
      // Pages come as they are, and nothing that is set here is asked.
      env: { PATH: "/usr/bin:/bin", HOME: home, PAGER: "cat", AWS_PAGER: "cat" },
      stdio: "pipe"
    }
  )
  // Bold letters are struck twice.
  return help.replaceAll(/.[\b]/g, "").match(/(?<![\w-])--[a-z][a-z-]*/g) ?? []
}

describe("federate trust emit", () => {
  const here = folder()
  const file = (name: string, text: string) => {
    const path = join(here, name)
    writeFileSync(path, text)
    return path
  }
  const emit = (as: string, flow = "graph") =>
    federate(["trust", "emit", flow, "--as", as, "--config", file("federate.yaml", config)])

  it.effect("writes both halves for Terraform, whose parser takes them", () =>
    Effect.gen(function* () {
      const { code, stderr, stdout } = yield* emit("terraform")
      assert.deepEqual([code, stderr], [0, ""])
      const read = yield* Effect.promise(() => parse("trust.tf", stdout))
      const { data, output, resource, variable } = read
      assert.deepEqual(Object.keys(resource).toSorted(), [
        "aws_cognito_identity_pool",
        "aws_iam_role_policy",
        "azuread_app_role_assignment",
        "azuread_application",
        "azuread_application_federated_identity_credential",
        "azuread_service_principal"
      ])
      // The identity's id is known to nobody before a first token.
      assert.deepEqual(Object.keys(variable), ["sub"])
      assert.match(variable.sub[0].description, /federate inspect/)
      const [credential] =
        resource.azuread_application_federated_identity_credential.federated_credential
      assert.deepEqual(
        [credential.issuer, credential.subject, credential.audiences],
        [
          "https://cognito-identity.amazonaws.com",
          "${var.sub}",
          ["${aws_cognito_identity_pool.identity_pool.id}"]
        ]
      )
      assert.deepEqual(Object.keys(data), ["azuread_service_principal"])
      assert.deepEqual(Object.keys(output).toSorted(), ["aud", "iss"])
    })
  )

  it.effect("writes AWS's half as a template, whose types and references CDK knows", () =>
    Effect.gen(function* () {
      const { stdout } = yield* emit("cloudformation")
      const { Resources } = JSON.parse(stdout)
      assert.deepEqual(Object.keys(Resources), ["IdentityPool", "RolePolicy"])
      const stack = new Stack(new App(), "Stack")
      const included = new CfnInclude(stack, "Included", {
        templateFile: file("template.json", stdout)
      })
      // A type that CDK does not know has no properties of its own.
      for (const id of Object.keys(Resources)) {
        assert.notStrictEqual(included.getResource(id).constructor.name, "CfnResource")
      }
      assert.deepEqual(Template.fromStack(stack).toJSON()["Resources"], Resources)
    })
  )

  it.effect("writes the same as a stack of CDK's, which compiles and makes that template", () =>
    Effect.gen(function* () {
      const { stdout } = yield* emit("cdk")
      assert.strictEqual(
        stdout,
        readFileSync(new URL("../../emitted/TrustStack.ts", import.meta.url), "utf8")
      )
      const { Resources } = JSON.parse((yield* emit("cloudformation")).stdout)
      const stack = new TrustStack(new App(), "Trust")
      assert.deepEqual(Template.fromStack(stack).toJSON()["Resources"], Resources)
    })
  )

  it.effect.each(["aws-cli", "az"])("writes its half as a script that a shell reads: %s", (as) =>
    Effect.gen(function* () {
      const { stdout } = yield* emit(as)
      const script = file(`${as}.sh`, stdout)
      assert.strictEqual(execFileSync("bash", ["-n", script], { encoding: "utf8" }), "")
      assert.match(stdout, /# Not in it, as .* cannot say it/)
    })
  )

  const tools = [
    { as: "aws-cli", tool: "/usr/bin/aws", of: "awscli" },
    { as: "az", tool: "/usr/bin/az", of: "azure-cli" }
  ]

  for (const { as, of, tool } of tools) {
    it.effect.skipIf(!needs(tool, of))(
      `names only commands and options that ${of} lists in its help`,
      () =>
        Effect.gen(function* () {
          const called = commands(here, (yield* emit(as)).stdout, tool)
          assert.isNotEmpty(called)
          for (const [command, options] of called) {
            assert.includeMembers([...helpOf(here, tool, command)], [...options], command)
          }
        })
    )
  }

  it.effect("asks for what another tool makes, before it makes anything", () =>
    Effect.gen(function* () {
      const script = file("entra.sh", (yield* emit("az")).stdout)
      assert.throws(
        () => execFileSync("/bin/sh", [script], { env: { PATH: "/nowhere" }, stdio: "pipe" }),
        /ISS: is not set/
      )
    })
  )

  it.effect("takes the claims that the file gives", () =>
    Effect.gen(function* () {
      const given = `${config}    assertion: { issuer: "https://issuer.example", subject: "a'b", audience: "api://x" }\n`
      const path = file("given.yaml", given)
      const { stdout } = yield* federate([
        "trust",
        "emit",
        "graph",
        "--as",
        "terraform",
        "-c",
        path
      ])
      const { resource, variable } = yield* Effect.promise(() => parse("trust.tf", stdout))
      assert.isUndefined(variable)
      const [credential] =
        resource.azuread_application_federated_identity_credential.federated_credential
      assert.deepEqual(
        [credential.issuer, credential.subject, credential.audiences],
        ["https://issuer.example", "a'b", ["api://x"]]
      )
    })
  )

  it.effect("ends with 2 for a flow or a language that is none", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* emit("terraform", "other")).code, 2)
      assert.strictEqual((yield* emit("cobol")).code, 2)
    })
  )
})
