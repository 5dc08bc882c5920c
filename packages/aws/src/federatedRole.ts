/** The role that an assertion may assume, and what it may do. */
import { isMarked, readPolicy, side, tag } from "@federate/aws-sdk/trust"
import { inConfiguration, Misconfigured } from "@federate/core"
import type { Reference, Resource, State } from "@federate/trust"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { Trusted } from "./oidcProvider.ts"

export interface Role {
  readonly name: string
  /** `/`, or `/…/`. */
  readonly path: string
  /** In seconds, where the flow's sessions are to last longer than a role's usually do. */
  readonly maxSessionDuration?: number | undefined
  /** Whether its ARN becomes known with it: where the settings have it, they do. */
  readonly isNew: boolean
}

/**
 * Who may assume it: one subject for one audience of one issuer, to the letter.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-idp_oidc.html
 */
const trustPolicy = (of: Reference) => {
  const issuer = of("oidcProvider")
  return {
    Version: "2012-10-17",
    Statement: {
      Effect: "Allow",
      Principal: { Federated: of("oidcProviderArn") },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        StringEquals:
          issuer === "accounts.google.com"
            ? // Of Google's own tokens AWS calls the authorized party `aud`.
              { [`${issuer}:oaud`]: of("aud"), [`${issuer}:sub`]: of("sub") }
            : { [`${issuer}:aud`]: of("azp"), [`${issuer}:sub`]: of("sub") }
      }
    }
  }
}

/** One and a list of one are the same to IAM, and a statement's id says nothing. */
const plain = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 1 ? plain(value[0]) : value.map(plain)
  if (!Predicate.isObject(value)) return value
  const { Sid: _, Id: __, ...rest }: State = { ...value }
  return Object.fromEntries(Object.entries(rest).map(([key, each]) => [key, plain(each)]))
}

const longestByDefault = 3600

const elsewhere = ({ name, path }: Role, found: string) =>
  Effect.fail(
    new Misconfigured({
      setting: "roleArn",
      problem: `names the role ${name} under the path ${path}, and the one of that name is under ${found}`,
      hint: "A role is not moved, and no other one may have its name: write the ARN that it has (`aws iam get-role`), or choose another name."
    })
  )

/** Makes `roleArn` known. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html */
export const federatedRole = ({ flow, iam }: Trusted, role: Role): Resource => {
  const told = inConfiguration("aws")
  const { isNew, maxSessionDuration, name, path } = role
  const key = { RoleName: name }

  return {
    side,
    kind: "role",
    name,
    makes: isNew ? ["roleArn"] : [],
    own: ["name", "tags"],
    desired: (of) => ({
      name,
      path,
      trustPolicy: trustPolicy(of),
      ...(maxSessionDuration !== undefined && { maxSessionDuration }),
      tags: { [tag]: flow }
    }),
    read: Effect.fnUntraced(function* () {
      const answer = yield* iam.call((client, sdk, abortSignal) =>
        client.send(new sdk.GetRoleCommand(key), { abortSignal })
      )
      const found = answer?.Role
      if (found === undefined) return undefined
      const isOurs = isMarked(flow, found.Tags)
      const { MaxSessionDuration: longest = longestByDefault } = found
      return {
        state: {
          name: found.RoleName,
          // Where no ARN names one, whichever it has is right.
          path: isNew ? path : found.Path,
          trustPolicy: plain(readPolicy(found.AssumeRolePolicyDocument)),
          // One that allows for more does no harm.
          maxSessionDuration: Math.min(longest, maxSessionDuration ?? longest),
          tags: isOurs ? { [tag]: flow } : {},
          description: found.Description
        },
        known: { roleArn: found.Arn ?? "" },
        isOurs
      }
    }, told),
    create: (desired) =>
      iam
        .call((client, sdk, abortSignal) =>
          client.send(
            new sdk.CreateRoleCommand({
              ...key,
              Path: path,
              AssumeRolePolicyDocument: JSON.stringify(desired["trustPolicy"]),
              MaxSessionDuration: maxSessionDuration,
              Tags: [{ Key: tag, Value: flow }]
            }),
            { abortSignal }
          )
        )
        .pipe(Effect.asVoid, told),
    update: Effect.fnUntraced(function* ({ state }, desired) {
      if (state["path"] !== path) return yield* elsewhere(role, `${state["path"]}`)
      if (state["maxSessionDuration"] !== (maxSessionDuration ?? state["maxSessionDuration"])) {
        const { description } = state
        yield* iam.call((client, sdk, abortSignal) =>
          client.send(
            new sdk.UpdateRoleCommand({
              ...key,
              MaxSessionDuration: maxSessionDuration,
              // What is not said is taken away.
              ...(typeof description === "string" && { Description: description })
            }),
            { abortSignal }
          )
        )
      }
      yield* iam.call((client, sdk, abortSignal) =>
        client.send(
          new sdk.UpdateAssumeRolePolicyCommand({
            ...key,
            PolicyDocument: JSON.stringify(desired["trustPolicy"])
          }),
          { abortSignal }
        )
      )
    }, told),
    remove: () =>
      iam
        .call((client, sdk, abortSignal) =>
          client.send(new sdk.DeleteRoleCommand(key), { abortSignal })
        )
        .pipe(Effect.asVoid, told)
  }
}

/** It is as much ours as the role. https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html */
export const attachedPolicy = (
  { flow, iam }: Trusted,
  role: string,
  policyArn: string
): Resource => {
  const told = inConfiguration("aws")
  const key = { RoleName: role, PolicyArn: policyArn }

  const attached = Effect.fnUntraced(function* () {
    let marker: string | undefined
    do {
      const page = yield* iam.call((client, sdk, abortSignal) =>
        client.send(
          new sdk.ListAttachedRolePoliciesCommand({
            RoleName: role,
            ...(marker !== undefined && { Marker: marker })
          }),
          { abortSignal }
        )
      )
      if (page?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === policyArn) === true)
        return true
      marker = page?.IsTruncated === true ? page.Marker : undefined
    } while (marker !== undefined)
    return false
  })

  return {
    side,
    kind: "attached policy",
    name: policyArn,
    makes: [],
    own: [],
    desired: () => ({ role, policyArn }),
    read: Effect.fnUntraced(function* () {
      if (!(yield* attached())) return undefined
      const holder = yield* iam.call((client, sdk, abortSignal) =>
        client.send(new sdk.GetRoleCommand({ RoleName: role }), { abortSignal })
      )
      return { state: { role, policyArn }, known: {}, isOurs: isMarked(flow, holder?.Role?.Tags) }
    }, told),
    create: Effect.fnUntraced(function* () {
      const done = yield* iam.call((client, sdk, abortSignal) =>
        client.send(new sdk.AttachRolePolicyCommand(key), { abortSignal })
      )
      if (done === undefined) return yield* noPolicy(flow, policyArn)
    }, told),
    // It is what it is made of: one that differs is another.
    update: () => Effect.void,
    remove: () =>
      iam
        .call((client, sdk, abortSignal) =>
          client.send(new sdk.DetachRolePolicyCommand(key), { abortSignal })
        )
        .pipe(Effect.asVoid, told)
  }
}

const noPolicy = (flow: string, policyArn: string) =>
  Effect.fail(
    new Misconfigured({
      setting: `trust.${flow}.exchanger.policies`,
      problem: `there is no managed policy ${policyArn}`,
      hint: "AWS's own are called by their name, with their path where they have one (service-role/AWSLambdaBasicExecutionRole); an account's own by its ARN. `aws iam list-policies` tells which there are."
    })
  )
