import { App } from "aws-cdk-lib"
import { LambdaToGraph } from "./LambdaToGraph.ts"

new LambdaToGraph(new App(), "LambdaToGraph")
