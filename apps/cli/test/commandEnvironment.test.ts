import { devNull } from "node:os"
import { assert, describe, it } from "vitest"
import { commandEnvironment, regionOf } from "../src/commandEnvironment.ts"
import type { Served } from "../src/commandEnvironment.ts"

const nothing: Served = {
  variables: {},
  google: false,
  azureIdentities: new Set(),
  awsRegion: undefined
}

const served = (names: ReadonlyArray<string>, rest: Partial<Served> = {}): Served => ({
  ...nothing,
  variables: Object.fromEntries(names.map((name) => [name, "ours"])),
  ...rest
})

const aws = served(["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
const azure = served(["IDENTITY_ENDPOINT"])

/** What stands in the way of each cloud. */
const theirs = {
  aws: {
    AWS_ACCESS_KEY_ID: "a",
    AWS_SECRET_ACCESS_KEY: "b",
    AWS_SESSION_TOKEN: "c",
    AWS_PROFILE: "d",
    AWS_DEFAULT_PROFILE: "e",
    AWS_WEB_IDENTITY_TOKEN_FILE: "f",
    AWS_ROLE_ARN: "g",
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: "h",
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "i"
  },
  azure: {
    AZURE_CLIENT_ID: "a",
    AZURE_CLIENT_SECRET: "b",
    AZURE_CLIENT_CERTIFICATE_PATH: "c",
    AZURE_USERNAME: "d",
    AZURE_PASSWORD: "e",
    AZURE_FEDERATED_TOKEN_FILE: "f",
    AZURE_TOKEN_CREDENTIALS: "g",
    IDENTITY_SERVER_THUMBPRINT: "h"
  },
  google: {
    GOOGLE_APPLICATION_CREDENTIALS: "a",
    METADATA_SERVER_DETECTION: "none",
    NO_GCE_CHECK: "true"
  }
}
const all = { ...theirs.aws, ...theirs.azure, ...theirs.google, PATH: "/bin", AZURE_TENANT_ID: "t" }

describe("the command's environment", () => {
  it("is the parent's, where nothing is served", () => {
    assert.deepEqual(commandEnvironment(all, nothing), all)
  })

  it.each([
    ["AWS", aws, theirs.aws],
    ["AWS, by a token file", served(["AWS_WEB_IDENTITY_TOKEN_FILE"]), theirs.aws],
    ["Azure", azure, theirs.azure],
    ["Google", { ...nothing, google: true }, theirs.google]
  ] as const)("is without what goes before %s, and with the others'", (_, serving, gone) => {
    const found = commandEnvironment(all, serving)
    const kept = Object.entries(all).filter(([name]) => !(name in gone))
    assert.deepInclude(found, Object.fromEntries(kept))
    for (const name of Object.keys(gone)) assert.strictEqual(found[name], serving.variables[name])
  })

  it("has what the broker's clients need, in the place of what was there", () => {
    const serving = served(["AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AZURE_CLIENT_ID"])
    assert.deepInclude(commandEnvironment(all, serving), serving.variables)
  })

  describe("for Azure", () => {
    it("keeps an identity that the broker serves", () => {
      const AZURE_CLIENT_ID = "AB000000-0000-4000-8000-000000000000"
      const serving = { ...azure, azureIdentities: new Set([AZURE_CLIENT_ID.toLowerCase()]) }
      assert.deepInclude(commandEnvironment({ AZURE_CLIENT_ID }, serving), { AZURE_CLIENT_ID })
    })

    it("keeps the identity that a token file is presented as", () => {
      const found = commandEnvironment(all, served(["AZURE_FEDERATED_TOKEN_FILE"]))
      assert.deepInclude(found, {
        AZURE_CLIENT_ID: "a",
        AZURE_TENANT_ID: "t",
        AZURE_FEDERATED_TOKEN_FILE: "ours"
      })
      assert.notProperty(found, "AZURE_CLIENT_SECRET")
    })
  })

  describe("for AWS", () => {
    it("puts the files out of sight", () => {
      assert.deepInclude(commandEnvironment({ AWS_CONFIG_FILE: "/mine" }, aws), {
        AWS_CONFIG_FILE: devNull,
        AWS_SHARED_CREDENTIALS_FILE: devNull
      })
    })

    it.each([
      ["as the broker's config has it", { AWS_REGION: "eu-north-1" }, { AWS_REGION: "x" }, "f"],
      ["as it was", {}, { AWS_REGION: "eu-north-1" }, "f"],
      ["as it was by its older name", {}, { AWS_DEFAULT_REGION: "eu-north-1" }, "f"],
      ["as the files name it", {}, { AWS_REGION: "" }, "eu-north-1"]
    ])("tells the region by both names, %s", (_, variables, parent, awsRegion) => {
      const serving = { ...aws, variables: { ...aws.variables, ...variables }, awsRegion }
      assert.deepInclude(commandEnvironment(parent, serving), {
        AWS_REGION: "eu-north-1",
        AWS_DEFAULT_REGION: "eu-north-1"
      })
    })

    it("tells no region that nobody names", () => {
      assert.notProperty(commandEnvironment({}, aws), "AWS_REGION")
    })
  })

  describe("behind a proxy", () => {
    it.each([
      [{ HTTPS_PROXY: "http://proxy" }, "127.0.0.1,localhost"],
      [{ http_proxy: "http://proxy", no_proxy: ".corp, ::1" }, ".corp,::1,127.0.0.1,localhost"],
      [{ ALL_PROXY: "socks://proxy", NO_PROXY: "localhost,a" }, "localhost,a,127.0.0.1"],
      [{ HTTP_PROXY: "http://proxy", NO_PROXY: "*" }, "*"]
    ])("leaves loopback out, by both names: %j", (parent, expected) => {
      assert.deepEqual(commandEnvironment(parent, nothing), {
        ...parent,
        no_proxy: expected,
        NO_PROXY: expected
      })
    })

    it("keeps the two lists apart where they differ", () => {
      const parent = { HTTP_PROXY: "http://proxy", no_proxy: "a", NO_PROXY: "b" }
      assert.deepInclude(commandEnvironment(parent, nothing), {
        no_proxy: "a,127.0.0.1,localhost",
        NO_PROXY: "b,127.0.0.1,localhost"
      })
    })

    it("is not said to be where there is none", () => {
      assert.deepEqual(commandEnvironment({ HTTP_PROXY: "" }, nothing), { HTTP_PROXY: "" })
    })
  })
})

describe("the region of AWS's config file", () => {
  const file = `
# mine
[default]
region = eu-central-1
[profile dev]
s3 =
  region = nested-1
region=eu-west-1
[ profile "my team" ]
output = json
[sso-session dev2]
region = us-east-2
`
  it.each([
    ["default", "eu-central-1"],
    ["dev", "eu-west-1"],
    ["my team", undefined],
    ["dev2", undefined]
  ])("is the profile's: %s", (profile, region) => {
    assert.strictEqual(regionOf(file, profile), region)
    assert.strictEqual(regionOf(file.replaceAll("\n", "\r\n"), profile), region)
  })
})
