import type { Environment } from "../failback/documents.ts";
import type { LiveState } from "../live/live-state.ts";
import type { Applied } from "../plan/applied.ts";
import { makePlan } from "../plan/plan.ts";
import { counted, listed } from "../plan/words.ts";
import type { InfrastructureChange } from "../ports.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import { collectionFindings, indexFindings, sourceNotes } from "./databases.ts";
import { type DriftArea, type DriftReport, driftAreas, type Finding, type Unread } from "./model.ts";
import { taskFindings } from "./tasks.ts";
import { terraformFindings } from "./terraform.ts";
import { userFindings } from "./users.ts";

export interface DriftInput {
  readonly environment: Environment;
  readonly name: EnvironmentName;
  /** tasks.yaml as git has it. */
  readonly head: { readonly tasks: Tasks; readonly name: string };
  /** What was last applied, and its tasks; absent when nothing ever was. */
  readonly applied: { readonly document: Applied; readonly tasks: Tasks } | undefined;
  readonly live: LiveState;
  /** Absent when nobody planned Terraform. */
  readonly terraform:
    | { readonly planned: readonly InfrastructureChange[]; readonly drifted: readonly InfrastructureChange[] }
    | undefined;
  /** A failback is open: which phase, or `normal`. */
  readonly phase: string;
  /** What is being run, or was never finished. */
  readonly underWay: readonly string[];
}

/** What in an environment is not as it was applied. Pure: the same input gives the same report, in the same order. */
export function findDrift(input: DriftInput): DriftReport {
  const { live, applied } = input;
  const tasks = applied?.tasks ?? input.head.tasks;
  const standsStill = input.phase !== "normal";
  const findings: Finding[] = [...gitFindings(input)];
  const notes: string[] = input.underWay.map((work) => `${work}; what it changes may show here`);
  if (input.terraform) findings.push(...terraformFindings(input.terraform));
  else notes.push("Terraform was not looked at: give --terraform the JSON of a plan");
  if (standsStill)
    notes.push(`phase ${input.phase}: DMS stands still and rights differ on purpose, so neither counts`);
  const mongodb = live.mongodb.reachable ? live.mongodb : undefined;
  // Before the first apply nothing is expected to stand; that it never happened is the one thing to say.
  if (live.dms.reachable && applied)
    findings.push(
      ...taskFindings(tasks, input.name, live.dms.tasks, { standsStill, endpoints: live.dms.endpoints }),
    );
  if (live.documentdb.reachable) {
    const collections = applied
      ? collectionFindings(tasks, input.name, live.documentdb, mongodb)
      : { findings: [], notes: [] };
    const users = userFindings(tasks, input.environment.documentdb, live.documentdb, { standsStill });
    findings.push(...collections.findings, ...users.findings);
    notes.push(...collections.notes, ...users.notes);
  }
  if (mongodb) notes.push(...sourceNotes(tasks, mongodb));
  if (mongodb && live.documentdb.reachable) findings.push(...indexFindings(tasks, mongodb, live.documentdb));
  const unread = unreadSides(live);
  return {
    version: 1,
    environment: input.environment.environment,
    takenAt: live.takenAt,
    verdict: findings.length > 0 ? "drift" : unread.length > 0 ? "unknown" : "clean",
    ...(applied ? { applied: appliedWords(applied.document) } : {}),
    findings: sorted(findings),
    unread,
    notes: notes.sort(),
  };
}

function appliedWords({ commit, appliedAt, by }: Applied): NonNullable<DriftReport["applied"]> {
  return { commit, appliedAt, by };
}

function gitFindings({ head, applied, name }: DriftInput): Finding[] {
  if (!applied)
    return [
      {
        area: "git",
        kind: "never-applied",
        what: `environment ${name}`,
        expected: "a record of what was last applied",
        got: "none; compared with tasks.yaml as git has it",
        fix: "roundtrip apply, or roundtrip adopt for a set-up that was there before",
      },
    ];
  const plan = makePlan({
    base: applied.tasks,
    head: head.tasks,
    baseRevision: { name: "applied" },
    headRevision: { name: head.name },
  });
  const changed = plan.tasks.filter(({ action, environments, run }) => {
    const here = environments.find((environment) => environment.name === name)?.action ?? action;
    return here !== "none" || run.some((change) => change.name === name);
  });
  return changed.map(({ id, action }) => ({
    area: "git",
    kind: "not-applied",
    what: `tasks.yaml, task ${id}`,
    expected: `as commit ${applied.document.commit.slice(0, 12)}, which was applied`,
    got: `${head.name} differs: ${action === "none" ? "it is started or stopped" : action}`,
    fix: `see roundtrip plan --env ${name}, then roundtrip apply`,
  }));
}

function unreadSides(live: LiveState): Unread[] {
  const sides: readonly (readonly [DriftArea, { reachable: boolean; reason?: string }])[] = [
    ["dms", live.dms],
    ["documentdb", live.documentdb],
    ["mongodb", live.mongodb],
  ];
  return sides
    .filter(([, side]) => !side.reachable)
    .map(([area, side]) => ({ area, reason: side.reason ?? "no reason given" }));
}

function sorted(findings: readonly Finding[]): Finding[] {
  return [...findings].sort(
    (left, right) =>
      driftAreas.indexOf(left.area) - driftAreas.indexOf(right.area) ||
      compare(left.what, right.what) ||
      compare(left.kind, right.kind) ||
      compare(left.got, right.got),
  );
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** `3 findings: 1 in dms, 2 in documentdb` */
export function summaryOf({ findings }: DriftReport): string {
  const areas = driftAreas
    .map((area) => [area, findings.filter((finding) => finding.area === area).length] as const)
    .filter(([, count]) => count > 0)
    .map(([area, count]) => `${count} in ${area}`);
  return `${counted(findings.length, "finding")}: ${listed(areas)}`;
}
