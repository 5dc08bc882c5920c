import { whoAmI } from "./whoAmI.ts"

console.log(await whoAmI())
