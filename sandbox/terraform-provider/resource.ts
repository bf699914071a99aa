import type { AwsClient } from "./aws/client.ts";
import type { Block, Value, Values } from "./values.ts";

/** What no schema says of a type. Names of nested attributes are dotted: `mongodb_settings.nesting_level`. */
export interface Rules {
  /** Where these facts were read. */
  readonly source: string;
  /** Arguments whose change replaces the object. */
  readonly forceNew?: readonly string[];
  /** Those that replace it only under a condition on what is planned. */
  readonly forceNewWhen?: readonly { readonly name: string; readonly when: (planned: Values) => boolean }[];
  /** What an argument is when the configuration leaves it out. */
  readonly defaults?: Readonly<Record<string, Value>>;
  readonly oneOf?: Readonly<Record<string, readonly string[]>>;
  readonly between?: Readonly<Record<string, readonly [number, number]>>;
  readonly pattern?: Readonly<Record<string, readonly { readonly pattern: RegExp; readonly says: string }[]>>;
  /** Text that must be JSON; JSON that says the same is no change. */
  readonly json?: readonly string[];
  /** At most one of each group. */
  readonly conflicts?: readonly (readonly string[])[];
  /** Exactly one of each group. */
  readonly exactlyOne?: readonly (readonly string[])[];
  /** Arguments that are the same written in another way. */
  readonly sameAs?: Readonly<Record<string, (before: string, after: string) => boolean>>;
  /** Computed attributes that are unknown again when one of the named arguments changes. */
  readonly recomputed?: Readonly<Record<string, readonly string[]>>;
  /** Refusals that look at more than one argument. Unknown values are `unknown`. */
  readonly check?: (config: Values) => readonly { readonly path: string; readonly says: string }[];
}

export interface Context {
  readonly aws: AwsClient;
  readonly region: string;
  /** The provider's `default_tags`. */
  readonly defaultTags: Readonly<Record<string, string>>;
  /** The type's schema, for those that work by it. */
  readonly block: Block;
  readonly type: string;
}

export interface Change {
  readonly prior: Values;
  readonly planned: Values;
  /** With write-only arguments, which plan and state don't have. */
  readonly config: Values;
}

/** One type of resource. Attributes that a call gives back fill what the plan left unknown. */
export interface Resource {
  readonly rules?: Rules;
  /** Gives at least `id`. What fails after this leaves a tainted object, so nothing that was made is forgotten. */
  create(change: Omit<Change, "prior">, context: Context): Promise<Values>;
  /** What follows on a creation. Failing here leaves a tainted object. */
  finish?(state: Values, context: Context): Promise<void>;
  /** Waits until a new or changed object is usable. */
  settle?(state: Values, context: Context): Promise<void>;
  /** The object as it stands; undefined when it is gone. What is left out stays as the state has it. */
  read?(state: Values, context: Context): Promise<Values | undefined>;
  update?(change: Change, context: Context): Promise<Values | undefined>;
  delete?(state: Values, context: Context): Promise<void>;
  /** The state to read from, for an object that Terraform doesn't know yet. Without it: `{id}`. */
  import?(id: string, context: Context): Promise<Values>;
}

export interface DataSource {
  readonly rules?: Rules;
  read(config: Values, context: Context): Promise<Values>;
}

/** A refusal with the place it is about. */
export class AttributeError extends Error {
  constructor(
    readonly path: string,
    message: string,
  ) {
    super(message);
  }
}
