/** Each service's own idea of the time: Effect's Clock, wrong by what a test says. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Service } from "./Endpoint.ts"

export interface ServiceClock {
  /** Epoch milliseconds, as the service believes. */
  readonly now: (service: Service) => Effect.Effect<number>
  /** From now on the service's clock is wrong by this many milliseconds; negative is behind. */
  readonly skew: (service: Service, millis: number) => void
}

export const make = (): ServiceClock => {
  const skews = new Map<Service, number>()
  return {
    now: (service) =>
      Effect.map(Clock.currentTimeMillis, (millis) => millis + (skews.get(service) ?? 0)),
    skew: (service, millis) => void skews.set(service, millis)
  }
}

/** As JWTs and AWS count: whole seconds since the epoch. */
export const seconds = (millis: number): number => Math.floor(millis / 1000)
