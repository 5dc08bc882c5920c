import { listApplications } from "./applications.ts"

console.log(await listApplications())
