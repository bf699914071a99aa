import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { readTerraformDrift, readTerraformPlan } from "../../core/plan/terraform-plan.ts";
import type { Infrastructure, InfrastructureChange } from "../../core/ports.ts";
import { StateLocked, terraformFailure } from "./failure.ts";
import { type LockHolder, type StateLockInfo, thisHolder } from "./lock-holder.ts";
import { type Diagnostic, diagnosticText, readMessage } from "./messages.ts";
import { Redaction } from "./redaction.ts";
import { type Ended, run } from "./run.ts";

export interface TerraformOptions {
  /** The root module. */
  readonly directory: string;
  /** Values of variables, JSON or HCL files. Relative ones are below the directory. */
  readonly variableFiles?: readonly string[];
  /** Settings of the backend that the root leaves open: bucket, key, region. */
  readonly backend?: Readonly<Record<string, string>>;
  /** Credentials and what else Terraform and its providers read; without it, this process's. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly program?: string;
  /** False takes no lock: for a look with credentials that read. Another run may change the state meanwhile. */
  readonly lock?: boolean;
  /** How long to wait for a lock another run holds. */
  readonly lockTimeoutSeconds?: number;
  /** How long Terraform may finish what is under way when it is interrupted, before it is told again, then killed. */
  readonly interruptGraceSeconds?: number;
  /**
   * Is told before Terraform takes the state's lock, and waited for; what it gives is called when Terraform has ended.
   * So a lock that is left behind can be laid to its holder.
   */
  readonly onLock?: (holder: LockHolder) => Promise<(wasRefused: boolean) => Promise<void>>;
  /** Lines for a person: what changes, what was done. Never a sensitive value. */
  readonly onProgress?: (line: string) => void;
}

const defaultProgram = "terraform";

/** Terraform is killed after twice as long. */
export const interruptGraceSecondsDefault = 300;

/** Variables named like secrets may hold `true` or `none`; those must stay readable in messages. */
const secretLengthMin = 8;

/** Variables that would change what the commands below do or say. */
const dropped = /^(TF_CLI_ARGS.*|TF_LOG.*|TF_INPUT|TF_DATA_DIR)$/;

/**
 * `Infrastructure` over the `terraform` binary. Plan file and Terraform's working data lie in a private folder that goes
 * with this object (dispose it) or with the process.
 */
export class TerraformInfrastructure implements Infrastructure, Disposable {
  readonly #options: TerraformOptions;
  readonly #folder = mkdtempSync(join(tmpdir(), "roundtrip-terraform-"));
  readonly #planFile = join(this.#folder, "plan");
  readonly #redaction = new Redaction();
  readonly #remove = () => rmSync(this.#folder, { recursive: true, force: true });
  #isInitialised = false;
  #hasPlan = false;
  #planText = "";
  #isBusy = false;

  constructor(options: TerraformOptions) {
    this.#options = options;
    for (const [name, value] of Object.entries(options.environment ?? process.env))
      if (/SECRET|TOKEN|PASSWORD/i.test(name) && value && value.length >= secretLengthMin)
        this.#redaction.add(value);
    process.once("exit", this.#remove);
  }

  plan(signal?: AbortSignal): Promise<readonly InfrastructureChange[]> {
    return this.#alone(async () => {
      await this.#makePlan("plan with Terraform", [], signal);
      this.#hasPlan = true;
      this.#planText = await this.#show(signal);
      return readTerraformPlan(this.#planText);
    });
  }

  /** The last plan as `terraform show -json` has it, with every value in clear. */
  get planText(): string {
    return this.#planText;
  }

  /** What was changed behind Terraform's back. Changes nothing, and leaves no plan to apply. */
  drift(signal?: AbortSignal): Promise<readonly InfrastructureChange[]> {
    return this.#alone(async () => {
      await this.#makePlan("look for drift with Terraform", ["-refresh-only"], signal);
      try {
        return readTerraformDrift(await this.#show(signal));
      } finally {
        this.#forgetPlan();
      }
    });
  }

  apply(signal?: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      if (!this.#hasPlan)
        throw new RoundtripError({
          kind: "refused",
          what: "apply with Terraform",
          expected: "a plan made by this process",
          got: "none, or one that was already applied",
          wayOut: "plan first",
        });
      try {
        const parameters = ["apply", "-json", ...this.#lock(), this.#planFile];
        await this.#locking("OperationTypeApply", () =>
          this.#command("apply with Terraform", parameters, signal),
        );
      } finally {
        this.#forgetPlan();
      }
    });
  }

  /** Who holds the state's lock, or nothing when it can be taken at once. Changes nothing. */
  stateLock(signal?: AbortSignal): Promise<StateLockInfo | undefined> {
    return this.#alone(async () => {
      try {
        await this.#makePlan("see whether the state is locked", ["-refresh=false"], signal);
      } catch (error) {
        if (error instanceof StateLocked) return error.lock;
        throw error;
      } finally {
        this.#forgetPlan();
      }
    });
  }

  /** Frees the state's lock when it is still this one; whose holder is dead is the caller's to prove. */
  freeStateLock(id: string, signal?: AbortSignal): Promise<void> {
    return this.#alone(async () => {
      await this.#initialise(signal);
      await this.#command("free the state's lock", ["force-unlock", "-force", id], signal);
    });
  }

  [Symbol.dispose](): void {
    this.#hasPlan = false;
    this.#remove();
    process.removeListener("exit", this.#remove);
  }

  async #alone<Result>(action: () => Promise<Result>): Promise<Result> {
    if (this.#isBusy) throw new Error("terraform: one command at a time");
    this.#isBusy = true;
    try {
      return await action();
    } finally {
      this.#isBusy = false;
    }
  }

  async #makePlan(what: string, more: readonly string[], signal?: AbortSignal): Promise<void> {
    this.#forgetPlan();
    await this.#initialise(signal);
    // Made here, so that it is never readable by others: Terraform keeps the mode of a file that exists.
    writeFileSync(this.#planFile, "", { mode: 0o600 });
    const variables = (this.#options.variableFiles ?? []).map((file) => `-var-file=${file}`);
    const parameters = ["plan", "-json", ...this.#lock(), `-out=${this.#planFile}`, ...variables, ...more];
    await this.#locking("OperationTypePlan", () => this.#command(what, parameters, signal));
  }

  async #locking(operation: string, action: () => Promise<void>): Promise<void> {
    const { directory, program = defaultProgram, onLock, onProgress } = this.#options;
    const lockTimeoutSeconds = this.#lockTimeoutSeconds;
    const end = await onLock?.(
      thisHolder({ operation, directory: realpathSync(directory), program, lockTimeoutSeconds }),
    );
    let wasRefused = false;
    try {
      await action();
    } catch (error) {
      wasRefused = error instanceof StateLocked;
      throw error;
    } finally {
      // Terraform's outcome is what counts; without this note a later unlock asks for more proof.
      await end?.(wasRefused).catch((error) =>
        onProgress?.(`warning: the end of Terraform could not be written down: ${String(error)}`),
      );
    }
  }

  async #initialise(signal?: AbortSignal): Promise<void> {
    if (this.#isInitialised) return;
    const backend = Object.entries(this.#options.backend ?? {}).map(
      ([name, value]) => `-backend-config=${name}=${value}`,
    );
    await this.#command("prepare Terraform (init)", ["init", "-json", ...this.#lock(), ...backend], signal);
    this.#isInitialised = true;
  }

  /** The plan as JSON. It holds every value in clear, as the plan file does; what is sensitive is blanked out from then on. */
  async #show(signal?: AbortSignal): Promise<string> {
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    await this.#command("read the plan", ["show", "-json", this.#planFile], signal, onLine);
    const text = lines.join("\n");
    this.#redaction.addPlan(JSON.parse(text));
    return text;
  }

  #lock(): string[] {
    const { lock = true } = this.#options;
    return ["-input=false", lock ? `-lock-timeout=${this.#lockTimeoutSeconds}s` : "-lock=false"];
  }

  get #lockTimeoutSeconds(): number {
    return this.#options.lockTimeoutSeconds ?? 60;
  }

  #forgetPlan(): void {
    this.#hasPlan = false;
    rmSync(this.#planFile, { force: true });
  }

  async #command(
    what: string,
    parameters: readonly string[],
    signal: AbortSignal | undefined,
    onLine?: (line: string) => void,
  ): Promise<void> {
    const diagnostics: Diagnostic[] = [];
    const listen = (line: string) => {
      const message = readMessage(line);
      if (message?.kind === "diagnostic") diagnostics.push(message.diagnostic);
      const text = message?.kind === "progress" ? message.text : undefined;
      if (text !== undefined) this.#options.onProgress?.(this.#redaction.clean(text));
    };
    const ended = await this.#run(what, parameters, signal, onLine ?? listen);
    const clean = (text: string) => this.#redaction.clean(text);
    for (const warning of diagnostics.filter(({ severity }) => severity === "warning"))
      this.#options.onProgress?.(clean(`warning: ${diagnosticText(warning)}`));
    if (ended.interrupted) throw interrupted(what, ended);
    if (ended.exitCode !== 0) throw terraformFailure(what, diagnostics, ended, clean);
  }

  async #run(
    what: string,
    parameters: readonly string[],
    signal: AbortSignal | undefined,
    onLine: (line: string) => void,
  ): Promise<Ended> {
    if (signal?.aborted) throw interrupted(what, { exitCode: 0 });
    const {
      program = defaultProgram,
      directory,
      interruptGraceSeconds = interruptGraceSecondsDefault,
    } = this.#options;
    try {
      const ended = await run({
        program,
        parameters,
        directory,
        environment: this.#environment(),
        outputFolder: this.#folder,
        onLine,
        signal,
        interruptGraceSeconds,
      });
      return { ...ended, stderr: ended.stderr.map((line) => this.#redaction.clean(line)) };
    } catch (cause) {
      throw new RoundtripError(
        {
          kind: "configuration",
          what,
          expected: `a Terraform binary named ${program} and the folder ${directory}`,
          got: cause instanceof Error ? cause.message : String(cause),
          wayOut: "install Terraform (versions.tf says which) and put it on PATH",
        },
        { cause },
      );
    }
  }

  #environment(): Record<string, string | undefined> {
    const given = this.#options.environment ?? process.env;
    return {
      ...Object.fromEntries(Object.entries(given).filter(([name]) => !dropped.test(name))),
      TF_DATA_DIR: join(this.#folder, "data"),
      TF_IN_AUTOMATION: "1",
      TF_INPUT: "0",
      NO_COLOR: "1",
    };
  }
}

function interrupted(what: string, { exitCode }: Pick<Ended, "exitCode">): RoundtripError {
  return new RoundtripError({
    kind: "interrupted",
    what,
    expected: "to finish",
    got: exitCode === null ? "Terraform killed after it didn't end by itself" : "an interrupt",
    wayOut: "run this again: Terraform goes on from the state it has saved",
  });
}
