/** The faults that are set, and the counts of calls. */
import * as Result from "effect/Result"
import type { SandboxError } from "../SandboxError.ts"
import * as Endpoint from "./Endpoint.ts"
import type * as Fault from "./Fault.ts"

export interface Script {
  /** Sets a fault, after those that are set already; gives the function that lifts it. */
  readonly set: (
    pattern: string,
    fault: Fault.Fault,
    when: Fault.When
  ) => Result.Result<() => void, SandboxError>
  /** Lifts all faults. */
  readonly clear: () => void
  /** Counts a call, and gives the faults that strike it, in the order they were set. */
  readonly call: (endpoint: Endpoint.Endpoint) => ReadonlyArray<Fault.Fault>
  /** How many calls came in since the start. */
  readonly count: (pattern: string) => Result.Result<number, SandboxError>
}

interface Entry {
  readonly endpoints: ReadonlySet<Endpoint.Endpoint>
  readonly fault: Fault.Fault
  readonly when: Fault.When
  calls: number
}

export const make = (): Script => {
  const entries = new Set<Entry>()
  const counts = new Map<Endpoint.Endpoint, number>()
  return {
    set: (pattern, fault, when) =>
      Result.map(Endpoint.matching(pattern), (endpoints) => {
        const entry: Entry = { endpoints: new Set(endpoints), fault, when, calls: 0 }
        entries.add(entry)
        return () => void entries.delete(entry)
      }),
    clear: () => entries.clear(),
    call: (endpoint) => {
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1)
      return [...entries]
        .filter((entry) => entry.endpoints.has(endpoint))
        .filter((entry) => strikes(entry.when, ++entry.calls))
        .map((entry) => entry.fault)
    },
    count: (pattern) =>
      Result.map(Endpoint.matching(pattern), (endpoints) =>
        endpoints.reduce((sum, endpoint) => sum + (counts.get(endpoint) ?? 0), 0)
      )
  }
}

/** Whether a fault strikes the k-th call it sees. */
const strikes = (when: Fault.When, call: number): boolean => {
  if (when === "every") return true
  return "first" in when ? call <= when.first : call === when.call
}
