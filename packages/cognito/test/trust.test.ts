import { relyingParty } from "@federate/cognito/trust"
import { assert, describe, it } from "@effect/vitest"

const errors = (said: string) => relyingParty.errors(said, undefined)

describe("errors", () => {
  it("are known by the exception's name, beside Cognito's own", () => {
    const [error, ...more] = errors(
      "AccessDeniedException: User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: cognito-identity:GetOpenIdTokenForDeveloperIdentity on eu-central-1:2f4e3c5a-0000-4000-8000-000000000000"
    )
    assert.deepEqual(more, [])
    assert.strictEqual(error?.code, "AccessDeniedException")
    assert.include(
      error?.hint,
      "cognito-identity:eu-central-1:<account>:identitypool/eu-central-1:"
    )
  })

  it("alone are enough, where the words are Cognito's", () => {
    assert.include(
      errors(
        "InvalidParameterException: Please provide a valid public provider or developer one"
      )[0]?.hint,
      "developer provider"
    )
  })

  it("of others are left to them", () => {
    assert.deepEqual(errors("AccessDeniedException: User is not authorized"), [])
    assert.deepEqual(relyingParty.records({}), [])
  })
})
