/**
 * What can be run: a **runbook** belongs to a failback and is legal in some of its phases; an **operation** belongs to
 * none and runs in phase `normal` only. Both are lists of steps, run by the same code (`runSteps`) with the same
 * journal, lease, re-attachment to commands, `--mode plan` and summary. Only their contexts differ:
 *
 *     StepContext                      what every step may use
 *     ├ RunbookContext                 + failbackId, scope      journal: failback/<id>/journal/<runbook>/<round>/
 *     └ OperationContext               + operationId            journal: operations/<id>/journal/
 *
 * A step that needs neither id takes a `Step<StepContext>` and serves both. To add an operation: export an `Operation`
 * from `runbooks/<name>/runbook.ts`, list it in `runbooks/catalog.ts`, write its page `runbooks/<name>/README.md`.
 */
import type { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { ActionResult, Check, Environment, Scope, Settings } from "../../core/failback/documents.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type {
  Clock,
  Commands,
  Functions,
  Instances,
  ObjectStore,
  ReplicationTasks,
} from "../../core/ports.ts";
import type { ReplicationEndpoints } from "../../core/replication/ports.ts";
import type { Tasks } from "../../core/tasks/model.ts";

/** Who runs it; from GitHub's variables in Actions, from the login on a laptop. */
export interface Caller {
  readonly actor: string;
  readonly approvedBy?: string;
  readonly commit: string;
  readonly url?: string;
}

/** The EC2 an action runs on. Where an environment has no operations host, the failback host serves; Kafka's nodes go by their ids. */
export type Host = "failback" | "operations" | { readonly instanceId: string };

export interface StepContext {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly inputs: Readonly<Record<string, string>>;
  /** `tasks.yaml` as the caller has it. */
  readonly declared: Tasks;
  readonly caller: Caller;
  readonly store: ObjectStore;
  readonly instances: Instances;
  readonly commands: Commands;
  readonly tasks: ReplicationTasks;
  readonly endpoints: ReplicationEndpoints;
  readonly functions: Functions;
  readonly phases: PhaseStore;
  readonly clock: Clock;
  /** Fires when the lease is lost or the run is interrupted. */
  readonly signal: AbortSignal;
  /** One line for the person who watches. */
  say(line: string): void;
  /**
   * Runs `roundtrip-worker action <name>` on a host through its SSM document, re-attaching when it was already sent.
   * `host` is the failback host in a runbook and the operations host in an operation, unless named.
   */
  action(name: string, parameters?: Readonly<Record<string, string>>, host?: Host): Promise<ActionResult>;
  /** The call that `action` would make. */
  plannedAction(name: string, parameters?: Readonly<Record<string, string>>, host?: Host): PlannedCall;
  /** Data that an earlier step of this run left in the journal. */
  data(step: string): Readonly<Record<string, unknown>> | undefined;
}

export interface RunbookContext extends StepContext {
  readonly failbackId: string;
  /** The frozen scope; made from `tasks.yaml` when this runbook opens a failback. */
  readonly scope: Scope;
}

export interface OperationContext extends StepContext {
  readonly operationId: string;
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
  /** Stands before how the run ended, like a verdict: what a person must not miss. */
  readonly headline?: string;
  /** What the person does next, where this outcome decides it. */
  readonly next?: string;
}

export interface Step<C extends StepContext = RunbookContext> {
  readonly name: string;
  /** What it does, for a person, in one sentence. */
  readonly what: string;
  /** What to do when a person wants it undone. */
  readonly undo: string;
  plan(context: C): readonly PlannedCall[];
  run(context: C): Promise<StepOutcome>;
  /** Runs each time, also when the journal says it succeeded: facts that can change meanwhile. */
  readonly every?: boolean;
}

export interface RunbookInput {
  readonly name: string;
  readonly description: string;
  readonly pattern: RegExp;
  readonly default?: string;
}

/** What runbooks and operations have in common, and all that running, planning and summing up need. */
export interface Procedure<C extends StepContext> {
  readonly name: string;
  readonly summary: string;
  readonly inputs: readonly RunbookInput[];
  readonly steps: readonly Step<C>[];
  /** What the person does next, once it has succeeded. */
  readonly next: string;
}

export interface Runbook extends Procedure<RunbookContext> {
  readonly kind?: "failback";
  /** Phases it may begin or go on in. */
  readonly phases: readonly Phase[];
  /** True for the one runbook that opens a failback. */
  readonly opens?: boolean;
}

export interface Operation extends Procedure<OperationContext> {
  readonly kind: "operation";
  /** Phases it is legal in; `normal` alone when left out. Only what writes to no database and starts no task has others. */
  readonly phases?: readonly Phase[];
}
