import type { Check, CurrentFailback, Scope } from "../../core/failback/documents.ts";
import type { keysOf } from "../../core/failback/layout.ts";
import type { Instances, ObjectStore } from "../../core/ports.ts";
import type { Databases } from "../access/databases.ts";
import type { ServiceContext } from "../runtime/definition.ts";

/** What an action is given: validated parameters, the failback it belongs to, and connections on demand. */
export interface ActionContext {
  readonly service: ServiceContext;
  readonly databases: Databases;
  /** EC2 as this host reaches it. */
  readonly instances?: Instances;
  /** Buckets of releases, which this host reads. */
  readonly releases?: (bucket: string) => Pick<ObjectStore, "get">;
  /** The parameter's value; those of the action's metadata are all there. */
  parameter(name: string): string;
  /** Fails `usage` for an action that belongs to no failback. */
  readonly failback: ActionFailback;
}

export interface ActionFailback {
  readonly id: string;
  readonly current: CurrentFailback;
  readonly scope: Scope;
  readonly keys: ReturnType<typeof keysOf>;
}

export interface ActionOutcome {
  readonly checks: readonly Check[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** One action. Throws RoundtripError for what it can't do; a check that is not ok refuses in its own words. */
export type Action = (context: ActionContext) => Promise<ActionOutcome>;

/** A check that holds. */
export function passed(name: string, expected: string, got = expected): Check {
  return { name, ok: true, expected, got };
}

export function check(
  name: string,
  ok: boolean,
  words: { expected: string; got: string; wayOut: string },
): Check {
  return { name, ok, expected: words.expected, got: words.got, ...(ok ? {} : { wayOut: words.wayOut }) };
}
