/** Why a file cannot be used, as people say it. */
import type { PlatformError } from "effect/PlatformError"

const words: { readonly [reason: string]: string | undefined } = {
  NotFound: "there is no such file or folder",
  PermissionDenied: "permission is denied",
  BadResource: "it is a folder, or its folder is a file",
  Busy: "it is in use"
}

/** After a colon. The system's own error stays behind. */
export const inWords = ({ reason }: PlatformError): string => words[reason._tag] ?? reason._tag
