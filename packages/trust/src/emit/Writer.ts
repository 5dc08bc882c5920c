/** How the parts of a trust are written as code, for who may not make them. */
import type { Reference, State } from "../Resource.ts"

/** A part as it is to be written. */
export interface Written {
  readonly name: string
  /** What should be there, with names as references; of what is only asked, nothing. */
  readonly state: State
  /** The names that are known once it is there. */
  readonly makes: ReadonlyArray<string>
  /** What stands for a name of another part. */
  readonly of: Reference
  /** What it is called in the code: a word of small letters, digits and `_`. */
  readonly label: string
}

/** A block of Terraform's language (https://developer.hashicorp.com/terraform/language/syntax/configuration). */
export interface TerraformBlock {
  readonly block: "resource" | "data"
  readonly type: string
  /** Texts may hold references. What is to be encoded as JSON stands under `json`. */
  readonly body: Readonly<Record<string, unknown>>
  /** What each name is: an expression in which `this` is the block. */
  readonly makes: Readonly<Record<string, string>>
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/resources-section-structure.html */
export interface CloudFormationResource {
  readonly type: string
  /** Texts may hold references. */
  readonly properties: State
  /** What each name is: a text in which `${this}` is what `Ref` gives, and `${AWS::Region}` and its like may stand. */
  readonly makes: Readonly<Record<string, string>>
}

/** A step of a shell script: a command, whose output may become a name; a text that does, or a field of one. */
export type Step =
  | { readonly argv: ReadonlyArray<string>; readonly sets?: string }
  | { readonly text: string; readonly sets: string }
  /** `field`: from 1, where `:` separates them. */
  | { readonly cut: string; readonly field: number; readonly sets: string }

/** What a part is in each language. */
export interface Fragments {
  readonly terraform: TerraformBlock
  readonly cloudformation: CloudFormationResource
  readonly "aws-cli": ReadonlyArray<Step>
  readonly az: ReadonlyArray<Step>
}

/** How parts of a kind are written; a language that it cannot be written in is left out. */
export interface Writer {
  /** The part's own. */
  readonly side: string
  readonly kind: string
  readonly in: {
    readonly [Language in keyof Fragments]?: (part: Written) => Fragments[Language] | undefined
  }
}
