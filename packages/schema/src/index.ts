/** The schemas that the settings of Federate's adapters share. */
export { durationExamples, DurationFromText, parseDuration } from "./Duration.ts"
