/** What a runbook and an apply end with: the outcome at the terminal, in the job summary, and as JSON. */
import { readJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { actionCatalog } from "../../core/actions/catalog.ts";
import type { CurrentFailback, Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Objective } from "../../core/failback/objectives.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { renderVerdict } from "../../core/verdict/render.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import type { RunReport } from "../../runbooks/engine/run.ts";
import { renderSummary } from "../../runbooks/engine/summary.ts";
import { renderText } from "../../runbooks/engine/summary-text.ts";
import { addToSummary } from "../github/runner-files.ts";
import { callerOf } from "./caller.ts";
import { usageError } from "./command.ts";
import { measuredObjectives } from "./objectives.ts";
import { pageOfRunbook } from "./workflow-pages.ts";

const actionSecondsDefault = 600;

/** Seconds an action on the host may take, as its SSM document has it. */
export function actionTimeoutSeconds(name: string): number {
  return actionCatalog.find((action) => action.name === name)?.timeoutSeconds ?? actionSecondsDefault;
}

/** Says how a run ended: to the person who watches, to the job summary in Actions, and with `json` on stdout. */
export async function reportRun(
  deps: RunbookDependencies,
  procedure: { readonly name: string; readonly next: string },
  report: RunReport,
  { json, more = {} }: { readonly json: boolean; readonly more?: Readonly<Record<string, unknown>> },
): Promise<void> {
  const current = await new PhaseStore(deps.store, deps.clock, deps.environment.environment).read();
  const { phase } = current;
  const verdict = await verdictOf(deps.store, report);
  if (process.env.GITHUB_STEP_SUMMARY) {
    const summary = renderSummary(procedure, report, phase, {
      caller: callerOf(process.env),
      objectives: report.succeeded ? await objectivesOrNone(deps, report, current) : [],
      pageOf: (name) => pageOfRunbook(process.env, name),
    });
    await addToSummary(process.env, verdict ? `${summary}\n${renderVerdict(verdict)}` : summary);
  }
  deps.say(`\n${renderText(procedure, report, phase, verdict)}`);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ...report, ...more, phase, error: String(report.error ?? "") })}\n`,
    );
}

/** A run that succeeded is not failed by a figure of its summary that can't be read. */
async function objectivesOrNone(
  deps: RunbookDependencies,
  report: RunReport,
  current: CurrentFailback,
): Promise<readonly Objective[]> {
  try {
    return await measuredObjectives(deps, report, current);
  } catch (error) {
    deps.say(`RTO and RPO could not be read for the summary: ${String(error)}`);
    return [];
  }
}

/** What restore found, when this run got as far as asking for it. */
async function verdictOf(store: ObjectStore, report: RunReport): Promise<Verdict | undefined> {
  const { failbackId, steps } = report;
  const asked = steps.some(({ name, state }) => name === "verdict" && state !== "not reached");
  return failbackId && asked
    ? (await readJson<Verdict>(store, keysOf(failbackId).verdict))?.value
    : undefined;
}

export function positive(option: string, value: string): number {
  const number = Number(value);
  if (Number.isFinite(number) && number > 0) return number;
  throw usageError(`take ${option}`, value, "a number above 0");
}
