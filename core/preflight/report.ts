import { awsLines, type RunnerFacts } from "./aws.ts";
import { dmsLines, endpointsOf } from "./dms.ts";
import { hostLines } from "./host.ts";
import { part } from "./line.ts";
import type { DeclaredFacts, DmsFacts, Fact, HostFacts, LineState, PreflightReport } from "./model.ts";
import { sourceLines } from "./source.ts";
import { targetLines } from "./target.ts";

export interface PreflightFacts {
  readonly environment: string;
  readonly takenAt: Date;
  readonly declared: DeclaredFacts;
  readonly runner: RunnerFacts;
  readonly host: Fact<HostFacts>;
  readonly instanceId: string;
  readonly dms: Fact<DmsFacts>;
}

/** Every line, in the order in which a person mends them: what stands first is needed by what comes later. */
export function preflightReport(facts: PreflightFacts): PreflightReport {
  const { declared, dms, host, takenAt } = facts;
  const mongodb = part(host, (value) => value.mongodb);
  const documentdb = part(host, (value) => value.documentdb);
  const endpoints = part(dms, (value) => ({ value: endpointsOf(value, declared) }));
  const lines = [
    ...awsLines(facts.runner),
    ...hostLines(host, facts.instanceId),
    ...sourceLines(mongodb, declared),
    ...targetLines(documentdb, declared, endpoints),
    ...dmsLines(dms, mongodb, declared, takenAt),
  ];
  const some = (state: LineState) => lines.some((line) => line.state === state);
  const verdict = some("failed") ? "not-ready" : some("unknown") ? "unknown" : "ready";
  return { version: 1, environment: facts.environment, takenAt: takenAt.toISOString(), verdict, lines };
}

const marks: Readonly<Record<LineState, string>> = {
  ok: "ok",
  failed: "FAILED",
  unknown: "UNKNOWN",
  note: "note",
};
const verdicts: Readonly<Record<PreflightReport["verdict"], string>> = {
  ready: "READY",
  "not-ready": "NOT READY",
  unknown: "UNKNOWN: nothing failed, but not everything could be asked",
};

/** The report for a terminal: verdict first, then each line, with the fix below what is not ok. */
export function renderPreflight({ environment, verdict, lines }: PreflightReport): string {
  const count = (state: LineState) => lines.filter((line) => line.state === state).length;
  const counts = (["failed", "unknown", "note", "ok"] as const)
    .map((state) => `${count(state)} ${state}`)
    .join(", ");
  const width = Math.max(...lines.map(({ area, name }) => `${area}: ${name}`.length));
  const rows = lines.flatMap(({ area, name, state, expected, got, fix }) => [
    `${marks[state].padEnd(8)} ${`${area}: ${name}`.padEnd(width)}  ${got}`,
    ...(state === "ok" ? [] : [`         expected  ${expected}`]),
    ...(fix ? [`         fix       ${fix}`] : []),
  ]);
  return [`Preflight of ${environment}: ${verdicts[verdict]} (${counts})`, "", ...rows, ""].join("\n");
}
