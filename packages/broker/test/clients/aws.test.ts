/** AWS's SDKs and its command line, unmodified, through a broker: from a Cognito identity to signed calls. */
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { needs } from "../../../../scripts/debian.ts"
import { beside, brokerOf, cloud, once, output, sha256 } from "./surroundings.ts"
import type { Variables } from "./surroundings.ts"

const sandbox = cloud()

/** The credentials act as the pool's role. */
const arn = /:assumed-role\/federate-workload\/CognitoIdentityCredentials$/

/** As the broker tells them: a container's credentials come first. */
const container = (all: Variables): Variables => all

/** What leads to the instance metadata service, where nothing comes before it. */
const imds = (all: Variables): Variables =>
  Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith("AWS_CONTAINER_")))

/** A profile with a `credential_process`, which itself asks as a container would. */
const profile = (all: Variables): Variables => {
  const file = join(sandbox().folder, "config")
  const command = `${process.execPath} ${beside("awsProcess.ts")}`
  writeFileSync(file, `[profile broker]\ncredential_process = ${command}\n`)
  return { ...all, AWS_CONFIG_FILE: file, AWS_PROFILE: "broker" }
}

/** A broker over one flow that has been asked already, as apps do: AWS's SDKs hang up after a second. */
const warmed = Effect.fnUntraced(function* (flow = "keys") {
  const made = yield* brokerOf(
    sandbox(),
    `
  flows: [${flow}]
  aws: { region: us-east-1 }
`
  )
  yield* made.broker.warm
  return made
})

interface Client {
  readonly name: string
  readonly script: readonly [file: string, ...args: ReadonlyArray<string>]
  readonly pick: (all: Variables) => Variables
  /** How often it asks of its own accord when it is refused: no status stops it. */
  readonly tries: number
  /** Whether it prints the body of a refusal; some keep the status alone, or nothing. */
  readonly prints: boolean
  /** Whether it is not there to be tried. */
  readonly missing?: boolean
}

const missing = !needs("/usr/lib/python3/dist-packages/boto3", "python3-boto3")

const clients: ReadonlyArray<Client> = [
  {
    name: "fromHttp",
    script: ["aws.ts", "fromHttp"],
    pick: container,
    tries: 4,
    prints: true
  },
  {
    name: "fromContainerMetadata",
    script: ["aws.ts", "fromContainerMetadata"],
    pick: container,
    tries: 1,
    prints: false
  },
  {
    name: "fromInstanceMetadata",
    script: ["aws.ts", "fromInstanceMetadata"],
    pick: imds,
    tries: 1,
    prints: false
  },
  {
    name: "fromProcess",
    script: ["aws.ts", "fromProcess"],
    pick: profile,
    tries: 1,
    prints: true
  },
  {
    name: "the default chain of JavaScript",
    script: ["aws.ts", "fromNodeProviderChain"],
    pick: container,
    // As `fromHttp`, and then as `fromContainerMetadata`.
    tries: 5,
    prints: false
  },
  {
    name: "boto3 in a container",
    script: ["boto.py"],
    pick: container,
    tries: 3,
    prints: true,
    missing
  },
  {
    name: "boto3 on an instance",
    script: ["boto.py"],
    pick: imds,
    tries: 1,
    prints: false,
    missing
  },
  {
    name: "boto3 with a process",
    script: ["boto.py"],
    pick: profile,
    tries: 1,
    prints: true,
    missing
  }
]

for (const { missing: isMissing, name, pick, prints, script, tries } of clients) {
  const [file, ...args] = script
  const protocol = pick === imds ? "aws-imds" : "aws-container"
  describe.skipIf(isMissing)(`credentials by ${name}`, { concurrent: true }, () => {
    it.live("sign calls", () =>
      Effect.gen(function* () {
        const { handed, refused, variables } = yield* warmed()
        const got = yield* once(file, [...args, sandbox().http], pick(variables))
        assert.isUndefined(got.error)
        assert.match(String(got["arn"]), arn)
        assert.lengthOf(handed, 1)
        assert.deepInclude(handed[0], {
          caller: "loopback",
          protocol,
          flow: "keys",
          tokenHash: sha256(got.token)
        })
        assert.approximately(got.expiresOn!, handed[0]!.expiresAt / 1000, 2)
        assert.isEmpty(refused)
      })
    )

    it.live("are refused with what to do where Cognito does not give that role", () =>
      Effect.gen(function* () {
        const { handed, refused, variables } = yield* warmed("another-role")
        const { error = "" } = yield* once(file, [...args, sandbox().http], pick(variables))
        const hint =
          /NotAuthorizedException: The CustomRoleArn is not a role of this login.*trade a fresh one/
        assert.deepEqual(
          refused.map((each) => [each.protocol, each.status]),
          Array.from({ length: tries }, () => [protocol, 400])
        )
        assert.match(refused[0]!.message, hint)
        if (prints) assert.match(error, hint)
        else assert.match(error, /metadata service|Could not load|Unable to locate/)
        assert.isEmpty(handed)
      })
    )

    if (protocol === "aws-container") {
      it.live("are refused with what to do about a wrong secret", () =>
        Effect.gen(function* () {
          const { refused, variables } = yield* warmed()
          const { error = "" } = yield* once(file, [...args, sandbox().http], {
            ...pick(variables),
            AWS_CONTAINER_AUTHORIZATION_TOKEN: "another"
          })
          const hint = /Send the value of \$AWS_CONTAINER_AUTHORIZATION_TOKEN/
          assert.deepEqual(
            refused.map(({ status }) => status),
            Array.from({ length: tries }, () => 401)
          )
          assert.match(refused[0]!.message, hint)
          if (prints) assert.match(error, hint)
        })
      )
    }
  })
}

const aws = "/usr/bin/aws"

describe.skipIf(!needs(aws, "awscli"))("the command line", () => {
  const identity = () => ["sts", "get-caller-identity", "--endpoint-url", sandbox().http]

  for (const [place, pick] of [
    ["in a container", container],
    ["on an instance", imds]
  ] as const) {
    it.live(`signs calls ${place}`, () =>
      Effect.gen(function* () {
        const { handed, refused, variables } = yield* warmed()
        const called = yield* output(aws, identity(), pick(variables))
        assert.strictEqual(called.stderr, "")
        assert.match(String(JSON.parse(called.stdout)["Arn"]), arn)
        const told = yield* output(aws, ["configure", "export-credentials"], pick(variables))
        const { SessionToken } = JSON.parse(told.stdout) as { SessionToken: string } // as the command documents
        assert.lengthOf(handed, 2)
        for (const each of handed) {
          assert.deepInclude(each, { flow: "keys", tokenHash: sha256(SessionToken) })
        }
        assert.isEmpty(refused)
      })
    )
  }

  it.live("prints what to do about a wrong secret", () =>
    Effect.gen(function* () {
      const { refused, variables } = yield* warmed()
      const { code, stderr } = yield* output(aws, identity(), {
        ...variables,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: "another"
      })
      assert.notStrictEqual(code, 0)
      assert.match(stderr, /Send the value of \$AWS_CONTAINER_AUTHORIZATION_TOKEN/)
      assert.lengthOf(refused, 3)
    })
  )
})
