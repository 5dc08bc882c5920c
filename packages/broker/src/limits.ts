/** Every limit of the broker. `docs/architecture.md` tells them all. */

/** How long a request waits for a credential, in milliseconds: AWS SDKs hang up after a second. */
export const patience = 900

/** Requests that may wait at once; more are told to come back. */
export const maximumWaiting = 4096

/** A request's body, in bytes: a `subject_token` of 16 KiB and room around it. */
export const maximumBody = 64 * 1024

/** How long a request's body may take, in milliseconds. */
export const bodyTimeout = 5000

/** A parameter's value, in characters. */
export const maximumParameter = 2048

/** A pattern of a trust policy, in characters. */
export const maximumPattern = 512

/** Flows over callers' own assertions that are kept; the least recently used is let go first. */
export const maximumForwarded = 1000

/** Different questions remembered for each protocol, so that they are read once. */
export const maximumQuestions = 256

/** A request's line and headers, in bytes. */
export const maximumHeaders = 16 * 1024

/** How long a request's headers may take, and all of it, in milliseconds. */
export const headersTimeout = 5000
export const requestTimeout = 10_000

/** How long a connection may be idle, in milliseconds. */
export const keepAliveTimeout = 5000

/** Connections at once; more are closed at once. */
export const maximumConnections = 16_384

/** How long requests in flight may take when the broker stops, in milliseconds. */
export const closeTimeout = 5000

/** Requests that the status tells of each flow. */
export const maximumTold = 100
