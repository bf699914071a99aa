import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runStep, type StepStatus } from "./document-step.ts";
import {
  type AgentGeneration,
  type Definitions,
  interpolate,
  interpolateLines,
  type Parameters,
  parameterEnvironment,
  patternViolation,
} from "./interpolation.ts";
import type { Machine } from "./machine.ts";
import type { ProcessRecord } from "./processes.ts";

/** What Run Command hands to the agent of an instance. */
export interface AgentCommand {
  readonly commandId: string;
  readonly instanceId: string;
  readonly region: string;
  readonly steps: readonly {
    readonly name: string;
    readonly inputs: {
      readonly runCommand: readonly string[];
      readonly workingDirectory?: string;
      readonly timeoutSeconds?: string | number;
      readonly onFailure?: "exit" | "successAndExit";
      readonly finallyStep?: boolean;
    };
  }[];
  readonly parameters: Parameters;
  readonly definitions: Definitions;
  readonly generation: AgentGeneration;
}

export interface StepState {
  readonly name: string;
  status: StepStatus;
  exitCode: number;
  startedAt?: string;
  endedAt?: string;
  stdout: string;
  stderr: string;
}

export interface CommandState {
  readonly commandId: string;
  /** `lost`: the machine went down while it ran; nobody will ever say how it ended. */
  status: StepStatus | "lost";
  readonly steps: StepState[];
}

const outputCharactersMax = 24_000;
const errorCharactersMax = 8_000;
const defaultTimeoutSeconds = 3600;
const exitsTheRest = new Set([168, 169]);

/** The SSM agent of a machine: runs the steps of documents and keeps how they went on disk. */
export class Agent {
  readonly #running = new Map<string, { cancel: () => void; finished: Promise<void> }>();

  constructor(
    readonly machine: Machine,
    readonly record: ProcessRecord,
  ) {}

  /** Starts a command; one that is known already (a delivery repeated) isn't run a second time. */
  start(command: AgentCommand): void {
    if (this.#running.has(command.commandId) || existsSync(this.#statePath(command.commandId))) return;
    const state: CommandState = {
      commandId: command.commandId,
      status: "InProgress",
      steps: command.steps.map(({ name }) => ({
        name,
        status: "Pending",
        exitCode: -1,
        stdout: "",
        stderr: "",
      })),
    };
    this.#save(state);
    const cancelled = Promise.withResolvers<"cancelled">();
    const finished = this.#execute(command, state, cancelled.promise).finally(() =>
      this.#running.delete(command.commandId),
    );
    this.#running.set(command.commandId, { cancel: () => cancelled.resolve("cancelled"), finished });
  }

  /** How a command stands; `undefined` when the agent never saw it. */
  state(commandId: string): CommandState | undefined {
    const path = this.#statePath(commandId);
    if (!existsSync(path)) return undefined;
    const state = JSON.parse(readFileSync(path, "utf8")) as CommandState;
    if (state.status === "InProgress" && !this.#running.has(commandId)) state.status = "lost";
    return state;
  }

  /** The whole output of a step, for S3: what GetCommandInvocation gives is cut. */
  output(commandId: string, step: string): { stdout: string; stderr: string } {
    const read = (name: string): string => {
      const path = join(this.#folder(commandId), step, name);
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    };
    return { stdout: read("stdout"), stderr: read("stderr") };
  }

  cancel(commandId: string): void {
    this.#running.get(commandId)?.cancel();
  }

  /** Power off: what still runs is killed, and nobody learns of it (the state stays as it was). */
  async halt(): Promise<void> {
    const running = [...this.#running.values()];
    this.#halting = true;
    for (const { cancel } of running) cancel();
    await Promise.all(running.map(({ finished }) => finished));
    this.#halting = false;
  }

  #halting = false;

  async #execute(command: AgentCommand, state: CommandState, cancelled: Promise<"cancelled">): Promise<void> {
    const violation = patternViolation(command.parameters, command.definitions);
    let isCancelled = false;
    void cancelled.then(() => {
      isCancelled = true;
    });
    let isOver = false;
    for (const [index, step] of command.steps.entries()) {
      const result = state.steps[index]!;
      if (isOver && step.inputs.finallyStep !== true) {
        Object.assign(result, { status: "Success", exitCode: 0, stdout: "Step skipped due to prior step." });
        continue;
      }
      if (violation !== undefined)
        Object.assign(result, { status: "Failed", exitCode: 1, stderr: violation });
      else await this.#runStep(command, step, state, result, cancelled);
      if (this.#halting) return;
      if (violation !== undefined || isCancelled) break;
      isOver ||= this.#endsHere(step, result);
    }
    state.status = overall(state.steps);
    this.#save(state);
  }

  async #runStep(
    command: AgentCommand,
    step: AgentCommand["steps"][number],
    state: CommandState,
    result: StepState,
    cancelled: Promise<"cancelled">,
  ): Promise<void> {
    const { parameters, definitions, generation } = command;
    Object.assign(result, { status: "InProgress", startedAt: new Date().toISOString() });
    this.#save(state);
    const fill = (text: string): string => interpolate(text, parameters, definitions, generation);
    const timeout = Number(fill(String(step.inputs.timeoutSeconds ?? defaultTimeoutSeconds)));
    const outcome = await runStep(this.machine, {
      folder: join(this.#folder(command.commandId), step.name),
      script: `${interpolateLines(step.inputs.runCommand, parameters, definitions, generation).join("\n")}\n`,
      workingDirectory: step.inputs.workingDirectory ? fill(step.inputs.workingDirectory) : undefined,
      environment: {
        ...this.machine.baseEnvironment(),
        HOME: this.machine.at("root"),
        TMPDIR: this.machine.at("tmp"),
        AWS_SSM_INSTANCE_ID: command.instanceId,
        AWS_SSM_REGION_NAME: command.region,
        SSM_COMMAND_ID: command.commandId,
        ...parameterEnvironment(parameters, definitions, generation),
      },
      timeoutSeconds: timeout >= 5 && timeout <= 172_800 ? timeout : defaultTimeoutSeconds,
      cancelled,
      onStarted: (pid) => this.record.add(pid, ""),
    });
    if (this.#halting) return;
    const output = this.output(command.commandId, step.name);
    if (outcome.status !== "Success") this.#complain(command.commandId, step.name, outcome.exitCode);
    const error = this.output(command.commandId, step.name).stderr;
    Object.assign(result, {
      ...outcome,
      endedAt: new Date().toISOString(),
      stdout: cut(output.stdout, outputCharactersMax),
      stderr: cut(error, errorCharactersMax),
    });
    if (result.exitCode === 168) result.status = "Success";
    this.#save(state);
  }

  /** The agent adds its own word to the script's stderr. */
  #complain(commandId: string, step: string, exitCode: number): void {
    appendFileSync(
      join(this.#folder(commandId), step, "stderr"),
      `failed to run commands: exit status ${exitCode}`,
    );
  }

  /** A failed step doesn't end the document unless it says so (onFailure, or the exit codes made for it). */
  #endsHere(step: AgentCommand["steps"][number], result: StepState): boolean {
    if (exitsTheRest.has(result.exitCode)) return true;
    if (result.status !== "Failed" || step.inputs.onFailure === undefined) return false;
    if (step.inputs.onFailure === "successAndExit")
      Object.assign(result, { status: "Success", exitCode: 168 });
    return true;
  }

  #save(state: CommandState): void {
    const path = this.#statePath(state.commandId);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(`${path}.new`, JSON.stringify(state));
    renameSync(`${path}.new`, path);
  }

  #folder(commandId: string): string {
    return this.machine.at("var/lib/amazon/ssm", commandId);
  }

  #statePath(commandId: string): string {
    return join(this.#folder(commandId), "state.json");
  }
}

function overall(steps: readonly StepState[]): StepStatus {
  for (const status of ["Cancelled", "TimedOut", "Failed"] as const) {
    if (steps.some((step) => step.status === status)) return status;
  }
  return "Success";
}

function cut(text: string, charactersMax: number): string {
  const suffix = "\n---Output truncated---";
  return text.length <= charactersMax ? text : text.slice(0, charactersMax - suffix.length) + suffix;
}
