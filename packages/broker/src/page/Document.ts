/** A page: one HTML document that loads nothing, with a policy that lets it do no more than it must. */
import { hash } from "node:crypto"

export interface Document {
  readonly html: string
  /** Names and values in turn. */
  readonly headers: ReadonlyArray<string>
}

export interface Options {
  readonly title: string
  readonly style: string
  /** HTML, already escaped. */
  readonly body: string
  readonly script?: string
}

export const make = ({ body, script, style, title }: Options): Document => ({
  html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
${body}${script === undefined ? "" : `\n<script>${script}</script>`}
</body>
</html>
`,
  headers: [
    "Content-Security-Policy",
    [
      "default-src 'none'",
      "img-src data:",
      `style-src '${digest(style)}'`,
      ...(script === undefined ? [] : [`script-src '${digest(script)}'`, "connect-src 'self'"]),
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'"
    ].join("; "),
    "X-Frame-Options",
    "DENY",
    "Referrer-Policy",
    "no-referrer",
    "Cross-Origin-Opener-Policy",
    "same-origin"
  ]
})

const digest = (text: string): string => `sha256-${hash("sha256", text, "base64")}`

/** Text as it may stand in HTML, in an attribute too. */
export const escaped = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
