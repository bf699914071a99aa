import type { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { ActionResult, Check, Environment, Scope, Settings } from "../../core/failback/documents.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type { Clock, Commands, Instances, ObjectStore, ReplicationTasks } from "../../core/ports.ts";

/** Who runs it; from GitHub's variables in Actions, from the login on a laptop. */
export interface Caller {
  readonly actor: string;
  readonly approvedBy?: string;
  readonly commit: string;
  readonly url?: string;
}

export interface RunbookContext {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly inputs: Readonly<Record<string, string>>;
  readonly failbackId: string;
  /** The frozen scope; made from `tasks.yaml` when this runbook opens a failback. */
  readonly scope: Scope;
  readonly caller: Caller;
  readonly store: ObjectStore;
  readonly instances: Instances;
  readonly commands: Commands;
  readonly tasks: ReplicationTasks;
  readonly phases: PhaseStore;
  readonly clock: Clock;
  /** Fires when the lease is lost or the run is interrupted. */
  readonly signal: AbortSignal;
  /** One line for the person who watches. */
  say(line: string): void;
  /** Runs `roundtrip-worker action <name>` on the host through its SSM document, re-attaching when it was already sent. */
  action(name: string, parameters?: Readonly<Record<string, string>>): Promise<ActionResult>;
  /** Data that an earlier step of this run left in the journal. */
  data(step: string): Readonly<Record<string, unknown>> | undefined;
}

/** One call a step would make, exactly as it would be made; what `--mode plan` prints. */
export interface PlannedCall {
  readonly call: string;
  readonly target: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

export interface StepOutcome {
  readonly checks?: readonly Check[];
  readonly data?: Readonly<Record<string, unknown>>;
  /** One line for the summary. */
  readonly note?: string;
}

export interface Step {
  readonly name: string;
  /** What it does, for a person, in one sentence. */
  readonly what: string;
  /** What to do when a person wants it undone. */
  readonly undo: string;
  plan(context: RunbookContext): readonly PlannedCall[];
  run(context: RunbookContext): Promise<StepOutcome>;
  /** Runs each time, also when the journal says it succeeded: facts that can change meanwhile. */
  readonly every?: boolean;
}

export interface RunbookInput {
  readonly name: string;
  readonly description: string;
  readonly pattern: RegExp;
  readonly default?: string;
}

export interface Runbook {
  readonly name: string;
  readonly summary: string;
  readonly inputs: readonly RunbookInput[];
  /** Phases it may begin or go on in. */
  readonly phases: readonly Phase[];
  /** True for the one runbook that opens a failback. */
  readonly opens?: boolean;
  readonly steps: readonly Step[];
  /** What the person does next, once it has succeeded. */
  readonly next: string;
}
