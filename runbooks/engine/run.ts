import { RoundtripError } from "../../core/errors.ts";
import type { Journal } from "./journal.ts";
import type { Procedure, Step, StepContext, StepOutcome } from "./runbook.ts";

export interface StepReport {
  readonly name: string;
  readonly what: string;
  readonly state: "done" | "done before" | "failed" | "not reached";
  readonly ms: number;
  /** When it began, also in a run before this one; absent when it never did. */
  readonly startedAt?: string;
  readonly outcome?: StepOutcome;
  readonly error?: string;
  readonly undo: string;
}

/** What a run belongs to: the id of its failback, or of its operation. */
export interface RunIdentity {
  readonly failbackId?: string;
  readonly operationId?: string;
}

export interface RunReport extends RunIdentity {
  /** The runbook's or operation's name. */
  readonly runbook: string;
  readonly succeeded: boolean;
  readonly steps: readonly StepReport[];
  readonly error?: unknown;
}

/**
 * Runs a procedure from its first step that the journal does not show as succeeded. Each step is journaled before and
 * after; the first failure ends the run. Never throws for a step's failure: the report says it.
 */
export async function runSteps<C extends StepContext>(
  procedure: Procedure<C>,
  journal: Journal,
  identity: RunIdentity,
  contextOf: (step: Step<C>) => C,
): Promise<RunReport> {
  const steps: StepReport[] = [];
  let failure: unknown;
  for (const step of procedure.steps) {
    const context = contextOf(step);
    const before = step.every ? undefined : journal.success(step.name);
    if (failure !== undefined) steps.push(report(step, "not reached", 0));
    else if (before)
      steps.push({
        ...report(step, "done before", before.durationMs ?? 0),
        startedAt: new Date(Date.parse(before.at) - (before.durationMs ?? 0)).toISOString(),
        outcome: before.outcome ?? {},
      });
    else {
      const ran = await runStep(step, context, journal);
      steps.push(ran.report);
      failure = ran.error;
    }
  }
  return {
    runbook: procedure.name,
    ...identity,
    succeeded: failure === undefined,
    steps,
    ...(failure === undefined ? {} : { error: failure }),
  };
}

async function runStep<C extends StepContext>(
  step: Step<C>,
  context: C,
  journal: Journal,
): Promise<{ report: StepReport; error?: unknown }> {
  const started = context.clock.monotonicMs();
  const startedAt = context.clock.now().toISOString();
  const elapsed = () => Math.round(context.clock.monotonicMs() - started);
  context.say(`▸ ${step.name}: ${step.what}`);
  try {
    context.signal.throwIfAborted();
    // A step with an unfinished command keeps its attempt: starting it anew would hide the command to re-attach to.
    await journal.append({ step: step.name, event: "started" });
    const outcome = await raceAbort(step.run(context), context.signal);
    await journal.append({ step: step.name, event: "succeeded", durationMs: elapsed(), outcome });
    context.say(`  ✓ ${outcome.note ?? "done"} (${elapsed()} ms)`);
    return { report: { ...report(step, "done", elapsed()), startedAt, outcome } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    context.say(`  ✗ ${message}`);
    // The journal may be what failed; the first error is the one to tell.
    if (!context.signal.aborted) {
      await journal
        .append({ step: step.name, event: "failed", durationMs: elapsed(), error: message })
        .catch((journalError) => context.say(`  the journal could not be written: ${String(journalError)}`));
    }
    return { report: { ...report(step, "failed", elapsed()), startedAt, error: message }, error };
  }
}

type Named = Pick<Step, "name" | "what" | "undo">;

function report(step: Named, state: StepReport["state"], ms: number): StepReport {
  return { name: step.name, what: step.what, state, ms, undo: step.undo };
}

async function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason ?? interrupted());
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** The reason a run ends with when a person or a runner stops it; the host's work goes on. */
export function interrupted(): RoundtripError {
  return new RoundtripError({
    kind: "interrupted",
    what: "run the runbook to its end",
    expected: "no signal before the end",
    got: "the run was interrupted; work on the host goes on",
    wayOut: "run the same runbook again: it re-attaches at this step",
  });
}
