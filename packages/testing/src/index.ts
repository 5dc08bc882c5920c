/**
 * The contract suites that every adapter passes, for vitest: an adapter's author calls them in a test file, and gets
 * the tests that all of Federate's own adapters pass.
 */
export { assertionSourceContract } from "./assertionSourceContract.ts"
export type { AssertionSourceContract } from "./assertionSourceContract.ts"
export type { RefusedAnswer } from "./contract.ts"
export { assertionFor, tokenExchangerContract } from "./tokenExchangerContract.ts"
export type { TokenExchangerContract } from "./tokenExchangerContract.ts"
export { visible, watch } from "./visible.ts"
