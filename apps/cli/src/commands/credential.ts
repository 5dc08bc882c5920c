/** `federate credential`: what other programs call for a credential, each in its own protocol. */
import * as Command from "effect/cli/Command"
import { awsProcess } from "./credential/awsProcess.ts"
import { git } from "./credential/git.ts"
import { googleExecutable } from "./credential/googleExecutable.ts"
import { kubectl } from "./credential/kubectl.ts"

export const credential = Command.make("credential").pipe(
  Command.withDescription(
    "Answer AWS and Google SDKs, kubectl and git, which run a command for a credential. Nothing is kept between two calls: each one gets a new credential"
  ),
  Command.withExamples([
    {
      command: "federate credential aws-process aws",
      description: "As credential_process in ~/.aws/config"
    }
  ]),
  Command.withSubcommands([awsProcess, googleExecutable, kubectl, git])
)
