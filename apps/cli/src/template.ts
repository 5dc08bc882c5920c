/** A config file for the first journey, as `init` and `sandbox` write it. */

export interface Answers {
  readonly flow: string
  readonly identityPoolId: string
  readonly developerProvider: string
  readonly userId: string
  readonly tenantId: string
  readonly clientId: string
  readonly scope: string
  readonly role: string
}

/** Placeholders: what varies comes from the environment. */
export const placeholders: Answers = {
  flow: "graph",
  identityPoolId: "${COGNITO_IDENTITY_POOL_ID}",
  developerProvider: "my.dev.provider",
  userId: "my_user_id",
  tenantId: "${AZURE_TENANT_ID}",
  clientId: "${AZURE_CLIENT_ID}",
  scope: "https://graph.microsoft.com/.default",
  role: "federate-workload"
}

/** The file. Any answer is written so that it is read back as it was given, with variables in their places. */
export const configFile = (
  answers: Answers
): string => `# yaml-language-server: $schema=./federate.schema.json
# Federate's flows. There are no secrets in this file; \${NAME} is an environment variable,
# \${NAME:-default} one with a default. \`federate schema > federate.schema.json\` makes editors know it.

flows:
  # \`federate token ${scalar(answers.flow)}\` prints this flow's token.
  ${scalar(answers.flow)}:
    # Where the statement about this workload comes from.
    source:
      type: cognito
      # The identity pool's id, REGION:GUID. It is the token's audience.
      identityPoolId: ${value(answers.identityPoolId)}
      # The pool's developer provider, with a user id that never changes: the pair decides the token's subject.
      logins: { ${scalar(answers.developerProvider)}: ${value(answers.userId)} }
      # One exchange is all that it is needed for.
      tokenDuration: 2 minutes
    # Who trades it for the token that is wanted.
    exchanger:
      type: entra
      tenantId: ${value(answers.tenantId)}
      # The application (client) id, not the object id.
      clientId: ${value(answers.clientId)}
      authorityHost: \${AZURE_AUTHORITY_HOST:-https://login.microsoftonline.com}
      scopes: [${value(answers.scope)}]

# What \`federate trust apply ${scalar(answers.flow)}\` sets up, so that the flow's ids need not be known beforehand: their
# variables are printed by it. All of it has defaults.
trust:
  ${scalar(answers.flow)}:
    source:
      # The IAM role that the workload runs as: it is given the right to take the pool's assertions.
      role: ${value(answers.role)}
      # identityPoolName: federate-${named(answers.flow)}
    exchanger:
      # application: federate-${named(answers.flow)}
      # Application permissions that the app is granted, by name.
      appRoles: [${answers.scope === placeholders.scope ? "Application.Read.All" : ""}]
`

/** In a comment. */
const named = (text: string): string => text.replace(/[^\w.-]/g, "")

/** `$$` is a dollar sign there, and what is no variable must not look like one. */
const value = (text: string): string =>
  scalar(
    text.replace(/\$\{[A-Za-z_]\w*(?::-[^}]*)?\}|\$\$|\$\{/g, (found) =>
      found.endsWith("}") ? found : found === "$$" ? "$$$$" : "$${"
    )
  )

/** Plain where YAML reads it as that text and nothing else; quoted otherwise. */
const scalar = (text: string): string =>
  /^[A-Za-z$][\w.$-]*$|^\$\{\w+\}$|^https:\/\/[\w./-]+$/.test(text) &&
  !/^(true|false|null|yes|no|on|off)$/i.test(text)
    ? text
    : JSON.stringify(text)
