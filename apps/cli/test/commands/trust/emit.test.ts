import { assert, describe, it } from "@effect/vitest"
import { parse } from "@cdktf/hcl2json"
import { App, Stack } from "aws-cdk-lib"
import { Template } from "aws-cdk-lib/assertions"
import { CfnInclude } from "aws-cdk-lib/cloudformation-include"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { needs } from "../../../../../scripts/debian.ts"
import { federate } from "../../command.ts"
import { TrustStack as CognitoStack } from "../../emitted/cognito.ts"
import { TrustStack as RoleStack } from "../../emitted/role.ts"
import { folder } from "../../folder.ts"

const tenantId = "00000000-0000-0000-0000-000000000000"

const config = `flows:
  graph:
    source:
      type: cognito
      identityPoolId: \${EMITTED_IDENTITY_POOL_ID}
      logins: { my.dev.provider: my_user_id }
    exchanger: &entra
      type: entra
      tenantId: ${tenantId}
      clientId: \${EMITTED_CLIENT_ID}
      scopes: [https://graph.microsoft.com/.default]
  deploy:
    source: { type: github-actions }
    exchanger: { type: aws, region: eu-central-1, roleArn: "\${EMITTED_ROLE_ARN}", duration: 2 hours }
  from-google:
    source: { type: google-metadata }
    exchanger: { type: aws, region: eu-central-1, roleArn: "arn:aws:iam::123456789012:role/apps/reader" }
  out:
    source: { type: aws, region: eu-central-1 }
    exchanger: *entra
  bucket:
    source: { type: github-actions }
    exchanger: &google
      type: google
      audience: \${EMITTED_AUDIENCE}
      serviceAccount: \${EMITTED_SERVICE_ACCOUNT}
      scopes: [https://www.googleapis.com/auth/cloud-platform]
  direct:
    source: { type: github-actions }
    exchanger:
      type: google
      audience: //iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/pool-a/providers/provider-a
      scopes: [https://www.googleapis.com/auth/cloud-platform]
trust:
  graph:
    source: { role: reader }
    exchanger: { appRoles: [Application.Read.All] }
  deploy:
    exchanger: { policies: [ReadOnlyAccess, AmazonS3FullAccess] }
  out:
    source: { role: reader }
  bucket:
    exchanger: { project: my-project, roles: [roles/storage.objectViewer] }
  direct:
    exchanger: { roles: [roles/storage.objectViewer] }
    assertion: { issuer: "https://issuer.example", subject: "repo:o/r", audience: "api://x" }
`

const claims = { ISS: "https://issuer.example", SUB: "repo:o/r", AUD: "api://x" }
const providerArn = "arn:aws:iam::123456789012:oidc-provider/issuer.example"

/** The calls that a script makes of a tool, by running it with one in its place that takes anything. */
const calls = (
  place: string,
  script: string,
  tool: string
): ReadonlyArray<ReadonlyArray<string>> => {
  const record = join(place, "called")
  writeFileSync(record, "")
  writeFileSync(
    join(place, basename(tool)),
    `#!/bin/sh\n{ printf '%s\\037' "$@"; printf '\\036'; } >> ${record}\necho ${providerArn}\n`,
    { mode: 0o755 }
  )
  execFileSync("/bin/sh", ["-c", script], { env: { PATH: `${place}:/usr/bin:/bin`, ...claims } })
  return readFileSync(record, "utf8")
    .split("\u001E")
    .slice(0, -1)
    .map((call) => call.split("\u001F").slice(0, -1))
}

/** What comes before the options, and they. */
const commands = (
  called: ReadonlyArray<ReadonlyArray<string>>,
  named: (words: ReadonlyArray<string>) => number
): ReadonlyMap<string, ReadonlyArray<string>> => {
  const all = new Map<string, ReadonlyArray<string>>()
  for (const argv of called) {
    const words = argv.slice(
      0,
      argv.findIndex((each) => each.startsWith("-"))
    )
    const command = words.slice(0, words.length - named(words)).join(" ")
    const options = argv.filter((each) => each.startsWith("--"))
    all.set(command, [...(all.get(command) ?? []), ...options])
  }
  return all
}

/** gcloud's commands end in the name of what they are about, after a verb. */
const own = (words: ReadonlyArray<string>): number =>
  words.length -
  1 -
  words.findLastIndex((word) =>
    /^(?:create|create-oidc|describe|add-iam-policy-binding)$/.test(word)
  )

/** What follows an option. */
const after = (called: ReadonlyArray<string> | undefined, option: string): string =>
  called?.[called.indexOf(option) + 1] ?? ""

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

/** What CloudFormation makes of its functions. */
const evaluated = (value: unknown, refs: Readonly<Record<string, string>>): string => {
  if (typeof value === "string") return value
  const [[name, of]] = Object.entries(value as object) as [[string, never]]
  switch (name) {
    case "Ref":
      return refs[of] ?? ""
    case "Fn::Join": {
      const [separator, all] = of as [string, ReadonlyArray<unknown>]
      return all.map((each) => evaluated(each, refs)).join(separator)
    }
    case "Fn::Select": {
      const [index, { "Fn::Split": split }] = of as [number, { "Fn::Split": [string, unknown] }]
      return evaluated(split[1], refs).split(split[0])[index] ?? ""
    }
    default:
      throw new Error(`${name} is not known`)
  }
}

describe("federate trust emit", () => {
  const here = folder()
  const file = (name: string, text: string) => {
    const path = join(here, name)
    writeFileSync(path, text)
    return path
  }
  const emit = (as: string, flow = "graph", text = config) =>
    federate(["trust", "emit", flow, "--as", as, "--config", file("federate.yaml", text)])

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
      assert.deepEqual(Object.keys(output).toSorted(), [
        "aud",
        "client_id",
        "identity_pool_id",
        "iss"
      ])
    })
  )

  const templates = [
    { flow: "graph", ids: ["IdentityPool", "RolePolicy"], stack: CognitoStack, file: "cognito.ts" },
    { flow: "deploy", ids: ["OidcProvider", "Role"], stack: RoleStack, file: "role.ts" }
  ]

  it.effect.each(templates)(
    "writes AWS's half as a template, whose types and references CDK knows: $flow",
    ({ flow, ids }) =>
      Effect.gen(function* () {
        const { stdout } = yield* emit("cloudformation", flow)
        const { Resources } = JSON.parse(stdout)
        assert.deepEqual(Object.keys(Resources), ids)
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

  it.effect.each(templates)(
    "writes the same as a stack of CDK's, which compiles and makes that template: $flow",
    ({ file: module, flow, stack }) =>
      Effect.gen(function* () {
        const { stdout } = yield* emit("cdk", flow)
        assert.strictEqual(
          stdout,
          readFileSync(new URL(`../../emitted/${module}`, import.meta.url), "utf8")
        )
        const { Outputs, Parameters, Resources } = JSON.parse(
          (yield* emit("cloudformation", flow)).stdout
        )
        const made = Template.fromStack(new stack(new App(), "Trust")).toJSON()
        assert.deepEqual([made["Resources"], made["Outputs"]], [Resources, Outputs])
        for (const [name, parameter] of Object.entries(Parameters ?? {})) {
          assert.deepEqual(made["Parameters"][name], parameter)
        }
      })
  )

  const scripts = [
    { as: "aws-cli", flow: "graph" },
    { as: "az", flow: "graph" },
    { as: "aws-cli", flow: "deploy" },
    { as: "aws-cli", flow: "out" },
    { as: "gcloud", flow: "bucket" }
  ]

  it.effect.each(scripts)(
    "writes a half as a script that a shell reads: $as, $flow",
    ({ as, flow }) =>
      Effect.gen(function* () {
        const { stdout } = yield* emit(as, flow)
        const script = file(`${as}.sh`, stdout)
        assert.strictEqual(execFileSync("bash", ["-n", script], { encoding: "utf8" }), "")
      })
  )

  it.effect("names what a language cannot say, and which can", () =>
    Effect.gen(function* () {
      assert.match(
        (yield* emit("az")).stdout,
        /# Not in it, as az cannot say it: AWS's identity pool .*\n.*\n# These can: --as terraform, --as cloudformation, --as aws-cli\./
      )
      assert.match(
        (yield* emit("cloudformation", "out")).stdout,
        /Not in it, as cloudformation cannot say it: AWS's outbound federation/
      )
    })
  )

  // Of gcloud there is no package of Debian's.
  const tools = [
    {
      as: "aws-cli",
      tool: "/usr/bin/aws",
      flows: ["graph", "deploy", "out"],
      isThere: needs("/usr/bin/aws", "awscli")
    },
    { as: "az", tool: "/usr/bin/az", flows: ["graph"], isThere: needs("/usr/bin/az", "azure-cli") },
    {
      as: "gcloud",
      tool: "/usr/bin/gcloud",
      flows: ["bucket", "direct"],
      isThere: existsSync("/usr/bin/gcloud")
    }
  ]

  /** Newer than Debian's awscli. */
  const unknown = /^iam \S+-outbound-web-identity-federation/

  for (const { as, flows, isThere, tool } of tools) {
    it.effect.skipIf(!isThere)(
      `names only commands and options that the help of ${tool} lists`,
      () =>
        Effect.gen(function* () {
          for (const flow of flows) {
            const called = calls(here, (yield* emit(as, flow)).stdout, tool)
            assert.isNotEmpty(called)
            for (const [command, options] of commands(called, as === "gcloud" ? own : () => 0)) {
              if (unknown.test(command)) continue
              assert.includeMembers([...helpOf(here, tool, command)], [...options], command)
            }
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
      const given = config.replace(
        "    exchanger: { appRoles",
        `    assertion: { issuer: "https://issuer.example", subject: "a'b", audience: "api://x" }\n$&`
      )
      const { stdout } = yield* emit("terraform", "graph", given)
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

  const trustPolicy = {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { Federated: providerArn },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals: {
          "issuer.example:aud": "sts.amazonaws.com",
          "issuer.example:sub": "repo:o/r"
        }
      }
    }
  }

  describe("of a role for an outside issuer", () => {
    it.effect("lets one subject in, by Terraform", () =>
      Effect.gen(function* () {
        const { stdout } = yield* emit("terraform", "deploy")
        const { output, resource, variable } = yield* Effect.promise(() =>
          parse("trust.tf", stdout)
        )
        assert.deepEqual(Object.keys(variable).toSorted(), ["azp", "iss", "sub"])
        assert.strictEqual(variable.azp[0].default, "sts.amazonaws.com")
        const [provider] = resource.aws_iam_openid_connect_provider.oidc_provider
        assert.deepEqual([provider.url, provider.client_id_list], ["${var.iss}", ["${var.azp}"]])
        const [role] = resource.aws_iam_role.role
        assert.strictEqual(role.max_session_duration, 7200)
        assert.include(
          role.assume_role_policy,
          '"${replace(aws_iam_openid_connect_provider.oidc_provider.url, "https://", "")}:sub" = var.sub'
        )
        const attached = Object.values(resource.aws_iam_role_policy_attachment).flat()
        assert.deepEqual(
          attached.map((each) => (each as { readonly policy_arn: string }).policy_arn),
          ["arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess"]
        )
        assert.deepEqual(output.role_arn[0].value, "${aws_iam_role.role.arn}")
      })
    )

    it.effect("lets it in by CloudFormation, whose functions come to a policy", () =>
      Effect.gen(function* () {
        const { Parameters, Resources } = JSON.parse(
          (yield* emit("cloudformation", "deploy")).stdout
        )
        assert.strictEqual(Parameters.Azp.Default, "sts.amazonaws.com")
        const refs: Readonly<Record<string, string>> = {
          OidcProvider: providerArn,
          Sub: claims.SUB,
          Azp: Parameters.Azp.Default
        }
        const { AssumeRolePolicyDocument, ManagedPolicyArns } = Resources.Role.Properties
        assert.deepEqual(JSON.parse(evaluated(AssumeRolePolicyDocument, refs)), trustPolicy)
        assert.strictEqual(ManagedPolicyArns.length, 2)
      })
    )

    it.effect("lets it in by the AWS CLI", () =>
      Effect.gen(function* () {
        const called = calls(here, (yield* emit("aws-cli", "deploy")).stdout, "/usr/bin/aws")
        assert.deepEqual(
          called.map((argv) => argv.slice(0, 2).join(" ")),
          [
            "iam create-open-id-connect-provider",
            "iam create-role",
            "iam attach-role-policy",
            "iam attach-role-policy"
          ]
        )
        assert.strictEqual(after(called[0], "--client-id-list"), "sts.amazonaws.com")
        assert.deepEqual(JSON.parse(after(called[1], "--assume-role-policy-document")), trustPolicy)
      })
    )

    it.effect("makes no provider of an issuer that AWS knows by itself", () =>
      Effect.gen(function* () {
        const { stdout } = yield* emit("terraform", "from-google")
        const { resource, variable } = yield* Effect.promise(() => parse("trust.tf", stdout))
        assert.deepEqual(Object.keys(resource), ["aws_iam_role"])
        assert.deepEqual(Object.keys(variable), ["sub"])
        const [{ assume_role_policy: policy, path }] = resource.aws_iam_role.role
        assert.strictEqual(path, "/apps/")
        assert.match(policy, /Federated = "accounts\.google\.com"/)
        assert.match(policy, /"accounts\.google\.com:oaud" = "sts\.amazonaws\.com"/)
      })
    )
  })

  it.effect("foresees nothing of a source that is not to be had here", () =>
    Effect.gen(function* () {
      const elsewhere = config.replace(
        "source: { type: github-actions }\n    exchanger: &google",
        'source: { type: executable, command: ["/opt/token"] }\n    exchanger: &google'
      )
      const { code, stderr, stdout } = yield* emit("terraform", "bucket", elsewhere)
      assert.deepEqual([code, stderr], [0, ""])
      const { variable } = yield* Effect.promise(() => parse("trust.tf", stdout))
      assert.deepEqual(Object.keys(variable).toSorted(), ["aud", "iss", "sub"])
    })
  )

  it.effect(
    "names the account's issuer, and the role as the subject, where AWS is the source",
    () =>
      Effect.gen(function* () {
        const { stdout } = yield* emit("terraform", "out")
        const { data, resource, variable } = yield* Effect.promise(() => parse("trust.tf", stdout))
        assert.isUndefined(variable)
        assert.deepEqual(data.aws_iam_role.workload_role, [{ name: "reader" }])
        const [credential] =
          resource.azuread_application_federated_identity_credential.federated_credential
        assert.deepEqual(
          [credential.issuer, credential.subject, credential.audiences],
          [
            "${aws_iam_outbound_web_identity_federation.outbound_federation.issuer_identifier}",
            "${data.aws_iam_role.workload_role.arn}",
            ["api://AzureADTokenExchange"]
          ]
        )
      })
  )

  describe("of a pool at Google", () => {
    it.effect("is written for Terraform, the provider's trust as a block", () =>
      Effect.gen(function* () {
        const { stdout } = yield* emit("terraform", "bucket")
        const { data, output, resource, variable } = yield* Effect.promise(() =>
          parse("trust.tf", stdout)
        )
        assert.deepEqual(Object.keys(variable).toSorted(), ["iss", "sub"])
        assert.deepEqual(data.google_project.project, [{ project_id: "my-project" }])
        assert.deepEqual(Object.keys(resource).toSorted(), [
          "google_iam_workload_identity_pool",
          "google_iam_workload_identity_pool_provider",
          "google_project_iam_member",
          "google_service_account",
          "google_service_account_iam_member"
        ])
        const [provider] = resource.google_iam_workload_identity_pool_provider.provider
        assert.strictEqual(provider.attribute_condition, 'assertion.sub == "${var.sub}"')
        assert.deepEqual(provider.oidc, [
          {
            issuer_uri: "${var.iss}",
            allowed_audiences: [
              "https://iam.googleapis.com/projects/${data.google_project.project.number}/locations/global/workloadIdentityPools/federate-bucket/providers/federate-bucket"
            ]
          }
        ])
        const [impersonation] = resource.google_service_account_iam_member.policy_binding
        assert.deepEqual(impersonation.depends_on, [
          "${google_iam_workload_identity_pool_provider.provider}",
          "${google_service_account.service_account}"
        ])
        assert.deepEqual(Object.keys(output).toSorted(), ["audience", "service_account"])
      })
    )

    it.effect("is written for gcloud", () =>
      Effect.gen(function* () {
        const called = calls(here, (yield* emit("gcloud", "direct")).stdout, "/usr/bin/gcloud")
        const [provider] = called.filter((argv) => argv.includes("create-oidc"))
        assert.strictEqual(after(provider, "--attribute-condition"), 'assertion.sub == "repo:o/r"')
        assert.strictEqual(after(provider, "--issuer-uri"), "https://issuer.example")
        const [binding] = called.filter((argv) => argv.includes("add-iam-policy-binding"))
        assert.match(
          after(binding, "--member"),
          /^principal:\/\/iam\.googleapis\.com\/projects\/.*\/workloadIdentityPools\/pool-a\/subject\/repo:o\/r$/
        )
      })
    )
  })

  it.effect("ends with 2 for a flow or a language that is none", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* emit("terraform", "other")).code, 2)
      assert.strictEqual((yield* emit("cobol")).code, 2)
    })
  )
})
