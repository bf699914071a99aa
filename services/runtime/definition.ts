import type { PhaseStore } from "../../adapters/state/phase-store.ts";
import type { SecretVersions } from "../../core/credentials/ports.ts";
import type { Environment, Scope, Settings } from "../../core/failback/documents.ts";
import type { keysOf } from "../../core/failback/layout.ts";
import type { Phase } from "../../core/failback/phase.ts";
import type { Clock, Logger, ObjectStore, Secrets, Units } from "../../core/ports.ts";
import type { StatusReporter } from "./status.ts";

export interface OptionDefinition {
  readonly type: "string" | "boolean";
  readonly description: string;
  /** Shown in help as `--name <value>`. */
  readonly value?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
}

export interface ServiceDefinition {
  /** The verb; also names the status object and the log lines. */
  readonly name: string;
  /** One or two sentences: what it does, and when it ends. */
  readonly summary: string;
  /** Words after the verb, as help shows them, for instance `<name>`. At least those without `[` must be given. */
  readonly positionals?: readonly string[];
  readonly options?: Readonly<Record<string, OptionDefinition>>;
  readonly examples?: readonly string[];
  /** Where log lines go; `stderr` for a verb whose stdout is a result that a program reads. Default stdout. */
  readonly logOutput?: "stdout" | "stderr";
  /** What this verb's exit codes mean, where it differs from core/errors.ts. */
  readonly exitCodes?: Readonly<Record<number, string>>;
}

export interface Arguments {
  readonly positionals: readonly string[];
  /** The option's value; `undefined` when it was not given. */
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  flag(name: string): boolean;
}

/** The failback that is open, as `failback/current.json` and its frozen scope say. */
export interface OpenFailback {
  readonly id: string;
  readonly phase: Phase;
  readonly scope: Scope;
  readonly keys: ReturnType<typeof keysOf>;
}

export interface FailbackLoader {
  /**
   * Reads phase and scope anew and makes the status reporter write into this failback. Fails `refused` when
   * none is open (phase `normal`) and `configuration` when the scope is missing.
   */
  open(): Promise<OpenFailback>;
}

/** What every verb is given. The store and the secrets load their SDK at first use, so that a start costs little. */
export interface ServiceContext {
  readonly name: string;
  readonly arguments: Arguments;
  readonly environment: Environment;
  /** The environment's settings over the defaults. */
  readonly settings: Settings;
  readonly store: ObjectStore;
  readonly secrets: Secrets;
  readonly secretVersions: SecretVersions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly phaseStore: PhaseStore;
  readonly failback: FailbackLoader;
  readonly status: StatusReporter;
  readonly units: Units;
  /** Fires on SIGTERM and SIGINT: finish what is in hand, then return. */
  readonly signal: AbortSignal;
  /** Tells systemd's watchdog that work goes on; `status.update` does it too. For loops that wait. */
  alive(): void;
  readonly host: string;
  /** Random id of this process's run. */
  readonly run: string;
  /** Where files of this host lie ($STATE_DIRECTORY). */
  readonly stateDirectory: string;
}
