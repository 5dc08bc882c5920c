/**
 * The contract suites that every adapter passes, for vitest: an adapter's author calls them in a test file, and gets
 * the tests that all of Federate's own adapters pass.
 */
export { adapterContract } from "./adapterContract.ts"
export type { AdapterContract } from "./adapterContract.ts"
export { ambientSourceContract } from "./ambientSourceContract.ts"
export type {
  AmbientSourceContract,
  HangingSurroundings,
  MakeSource,
  RefusedSurroundings
} from "./ambientSourceContract.ts"
export { assertionFor } from "./assertionFor.ts"
export { assertionSourceContract } from "./assertionSourceContract.ts"
export type { AssertionSourceContract } from "./assertionSourceContract.ts"
export type { RefusedAnswer } from "./calls.ts"
export type { Answer, FaultName } from "./faults.ts"
export { flowContract } from "./flowContract.ts"
export type { FlowContract } from "./flowContract.ts"
export type { Refusal } from "./refusal.ts"
export { tokenExchangerContract } from "./tokenExchangerContract.ts"
export type { TokenExchangerContract } from "./tokenExchangerContract.ts"
export { visible, watch } from "./visible.ts"
