/** How the parts of a trust are written as code, for who may not make them. */
import type { Reference, State } from "../Resource.ts"

/** A part as it is to be written. */
export interface Written {
  readonly name: string
  /** What should be there, with names as references; of what is only asked, nothing. */
  readonly state: State
  /** A member of the state that is a text; `""` where it is none. */
  readonly text: (member: string) => string
  /** The names that are known once it is there. */
  readonly makes: ReadonlyArray<string>
  /** What stands for a name of another part. */
  readonly of: Reference
}

/** Nothing: what another part is written as has it. */
interface Included {
  readonly makes: Readonly<Record<string, never>>
}

/** A block of Terraform's language (https://developer.hashicorp.com/terraform/language/syntax/configuration). */
export interface TerraformBlock {
  readonly block: "resource" | "data"
  readonly type: string
  /** Texts may hold references. What is to be encoded as JSON stands under `json`, a block in it under `block`. */
  readonly body: Readonly<Record<string, unknown>>
  /** What each name is: an expression in which `this.` is the block, and references may stand. */
  readonly makes: Readonly<Record<string, string>>
  /** Names that stand nowhere in it, and whose blocks it needs all the same. */
  readonly after?: ReadonlyArray<string>
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html */
interface CloudFormationResource {
  readonly type: string
  /** Texts may hold references, and keys: what has such keys is written as a text of JSON. */
  readonly properties: State
  /**
   * What each name is: a text in which `${this}` is what `Ref` gives, `${this.Arn}` an attribute, `${this#:role/}` what
   * comes after the first `:role/` of it, and `${AWS::Region}` and its like may stand.
   */
  readonly makes: Readonly<Record<string, string>>
}

/** More elements for the lists among the properties of another resource, the one that makes a name. */
interface CloudFormationAddition extends Included {
  readonly addsTo: string
  readonly properties: Readonly<Record<string, ReadonlyArray<unknown>>>
}

/** A step of a shell script: a command, whose output may become a name; a text that does, or a part of one. */
export type Step =
  /** `or`: the command for where the first one fails. */
  | {
      readonly argv: ReadonlyArray<string>
      readonly or?: ReadonlyArray<string>
      readonly sets?: string
    }
  | { readonly text: string; readonly sets: string }
  /** `field`: from 1, where `:` separates them. `after`: what comes after the first such text. */
  | {
      readonly cut: string
      readonly by: { readonly field: number } | { readonly after: string }
      readonly sets: string
    }

/** What a part is in each language. */
export interface Fragments {
  readonly terraform: TerraformBlock | Included
  readonly cloudformation: CloudFormationResource | CloudFormationAddition | Included
  readonly "aws-cli": ReadonlyArray<Step>
  readonly az: ReadonlyArray<Step>
  readonly gcloud: ReadonlyArray<Step>
}

/** How parts of a kind are written; a language that it cannot be written in is left out. */
export interface Writer {
  /** The part's own. */
  readonly side: string
  readonly kind: string
  /** What is to be known of it by whoever runs the code. */
  readonly note?: string
  readonly in: {
    readonly [Language in keyof Fragments]?: (part: Written) => Fragments[Language] | undefined
  }
}
