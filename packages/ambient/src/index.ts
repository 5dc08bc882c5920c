/** Assertion sources for the platform that a workload already runs on: each gives the token that it finds there. */
export { spiffe } from "./spiffe.ts"
export type { SpiffeOptions } from "./spiffe.ts"
