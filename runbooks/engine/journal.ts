import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { CurrentFailback } from "../../core/failback/documents.ts";
import type { Clock, ObjectStore } from "../../core/ports.ts";
import type { Caller, StepOutcome } from "./runbook.ts";

export interface SentCommand {
  readonly id: string;
  readonly instanceId: string;
  readonly document: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface JournalEntry {
  readonly version: 1;
  readonly runbook: string;
  readonly step: string;
  readonly event: "started" | "sent" | "succeeded" | "failed";
  readonly at: string;
  readonly by: Caller;
  readonly durationMs?: number;
  /** For `sent`: the SSM command, so that a lost runner re-attaches instead of sending it twice. */
  readonly command?: SentCommand;
  readonly outcome?: StepOutcome;
  readonly error?: string;
}

const entriesMax = 100_000;

/**
 * Append-only record of one run, under a prefix of its own: entry n is written with If-None-Match, so two runs can't
 * interleave unnoticed.
 */
export class Journal {
  private constructor(
    private readonly store: ObjectStore,
    private readonly clock: Clock,
    private readonly prefix: string,
    private readonly runbook: string,
    private readonly caller: Caller,
    readonly entries: JournalEntry[],
  ) {}

  static async open(
    deps: { store: ObjectStore; clock: Clock },
    at: { prefix: string; runbook: string },
    caller: Caller,
  ): Promise<Journal> {
    const entries: JournalEntry[] = [];
    for await (const { key } of deps.store.list(at.prefix)) {
      const found = await readJson<JournalEntry>(deps.store, key);
      if (found) entries.push(found.value);
    }
    return new Journal(deps.store, deps.clock, at.prefix, at.runbook, caller, entries);
  }

  /** The last success of a step in this round, if any. */
  success(step: string): JournalEntry | undefined {
    return this.entries.findLast((entry) => entry.step === step && entry.event === "succeeded");
  }

  /**
   * The command with this document, instance and parameters that this step's current attempt has sent. An attempt may
   * send several, and lasts, over lost runners, until the step has succeeded or failed.
   */
  sentCommand(step: string, wanted: Omit<SentCommand, "id">): SentCommand | undefined {
    const ofStep = this.entries.filter((entry) => entry.step === step);
    const ended = ofStep.findLastIndex(({ event }) => event === "succeeded" || event === "failed");
    return ofStep
      .slice(ended + 1)
      .map(({ command }) => command)
      .findLast(
        (command) =>
          command?.document === wanted.document &&
          command.instanceId === wanted.instanceId &&
          sameParameters(command.parameters, wanted.parameters),
      );
  }

  async append(entry: Omit<JournalEntry, "version" | "runbook" | "at" | "by">): Promise<void> {
    const number = this.entries.length + 1;
    if (number > entriesMax)
      throw new Error(`journal ${this.prefix} has ${entriesMax} entries; something loops`);
    const whole: JournalEntry = {
      version: 1,
      runbook: this.runbook,
      at: this.clock.now().toISOString(),
      by: this.caller,
      ...entry,
    };
    await writeJson(this.store, `${this.prefix}${String(number).padStart(6, "0")}.json`, whole, {
      ifNoneMatch: true,
    });
    this.entries.push(whole);
  }
}

function sameParameters(one: SentCommand["parameters"], other: SentCommand["parameters"]): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

/** How often this failback has (re)entered capturing: each time begins a new round of restore, clean and resume. */
export function roundOf(current: CurrentFailback, failbackId: string): number {
  if (current.failbackId !== failbackId) return 1;
  const lastNormal = current.history.findLastIndex((entry) => entry.phase === "normal");
  const since = current.phase === "normal" ? current.history : current.history.slice(lastNormal + 1);
  return Math.max(1, since.filter((entry) => entry.phase === "capturing").length);
}
