/** The schemas that the settings of Federate's adapters share. */
export { DurationFromText, parseDuration } from "./Duration.ts"
