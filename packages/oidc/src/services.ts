/** Services that take a workload's assertion at a token endpoint of their own: data, and no code. */
import type { Writing } from "./grant.ts"

export interface Service extends Writing {
  readonly tokenEndpoint: string
  /** Parameters of the service's own, without which it refuses. */
  readonly needs: ReadonlyArray<string>
  /** It may remember each assertion's `jti`. */
  readonly singleUse?: boolean
}

/** By token exchange (RFC 8693). */
export const exchangingServices = {
  /** https://developers.openai.com/api/reference/workload-identity-federation */
  openai: {
    tokenEndpoint: "https://auth.openai.com/oauth/token",
    body: "json",
    needs: ["identity_provider_id", "service_account_id"]
  },
  /** https://openrouter.ai/docs/guides/overview/auth/workload-identity-federation */
  openrouter: {
    tokenEndpoint: "https://openrouter.ai/api/v1/oauth/token",
    needs: ["federation_policy_id"]
  }
} satisfies Readonly<Record<string, Service>>

// The keys of a literal object.
export const exchangingNames = Object.keys(exchangingServices) as ReadonlyArray<
  keyof typeof exchangingServices
>

/** By the JWT bearer grant (RFC 7523). */
export const bearerServices = {
  /** https://platform.claude.com/docs/en/manage-claude/wif-reference */
  anthropic: {
    tokenEndpoint: "https://api.anthropic.com/v1/oauth/token",
    body: "json",
    needs: ["federation_rule_id", "organization_id", "service_account_id"],
    singleUse: true
  }
} satisfies Readonly<Record<string, Service>>

export const bearerNames = Object.keys(bearerServices) as ReadonlyArray<keyof typeof bearerServices>
