/** What of Resource Manager's API a trust needs: https://cloud.google.com/resource-manager/reference/rest/v1/projects */
import * as Effect from "effect/Effect"
import { authorize } from "./Call.ts"
import type { Answer, Call } from "./Call.ts"
import * as History from "../kernel/History.ts"
import * as Policy from "./Policy.ts"

export const projects = {
  get: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "resourcemanager.projects.get")
    const { id, number } = call.project
    return { projectId: id, projectNumber: number, name: id, lifecycleState: "ACTIVE" }
  }),
  getIamPolicy: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "resourcemanager.projects.getIamPolicy")
    return History.current(call.project.policy)
  }),
  setIamPolicy: Effect.fnUntraced(function* (call: Call) {
    yield* authorize(call, "resourcemanager.projects.setIamPolicy")
    return yield* Effect.fromResult(
      Policy.replace(call.project.policy, call.body["policy"], call.now)
    )
  })
} satisfies Record<string, (call: Call) => Answer>
