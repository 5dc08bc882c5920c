import { readProject } from "./project.ts"

console.log(await readProject())
