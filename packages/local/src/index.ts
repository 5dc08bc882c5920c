/** What this machine has for a workload: token files, and programs that print tokens, bounded in size and time. */
export { readExecutableAnswer } from "./executableAnswer.ts"
export type { ExecutableAnswerOptions } from "./executableAnswer.ts"
export { executablesAllowed, run, timeLimit } from "./program.ts"
export type { Program } from "./program.ts"
export { glanceAtTokenFile, readAssertionFile, readTokenFile } from "./tokenFile.ts"
export type { TokenFile } from "./tokenFile.ts"
