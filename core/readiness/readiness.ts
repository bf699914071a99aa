import type { FailureKind } from "../errors.ts";
import type { LiveDms } from "../live/live-state.ts";
import type { InstanceState } from "../ports.ts";
import { effectiveTask } from "../tasks/effective.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import {
  type Fact,
  fact,
  type HostReadiness,
  type ReadinessReport,
  unknownFact,
  verdictOf,
} from "./model.ts";
import { backupHoursMax, type LastRun, recoveryTestHoursMax } from "./records.ts";
import { replicationFacts } from "./replication.ts";

/** Something that was asked for, or why there is no answer. */
export type Answer<T> = { readonly value: T } | { readonly reason: string; readonly kind: FailureKind };

export interface ReadinessInput {
  readonly environment: string;
  readonly name: EnvironmentName;
  readonly now: Date;
  /** What was last applied, or tasks.yaml where nothing was. */
  readonly tasks: Tasks;
  /** Namespaces that earlier applies renamed. */
  readonly renamed?: readonly string[];
  readonly phase: Answer<string>;
  readonly dms: LiveDms;
  /** What action `readiness` found. */
  readonly host: Answer<HostReadiness>;
  /** Of the EC2 that a failback runs on. */
  readonly failbackHost: Answer<InstanceState>;
  /** Version of the program that asks. */
  readonly version: string;
  /** Absent: nothing is on record. */
  readonly lastBackup: LastRun | undefined;
  readonly lastRecoveryTest: LastRun | undefined;
}

/** Whether a failback would succeed now. Pure; facts in the order in which a failback needs them. */
export function assessReadiness(input: ReadinessInput): ReadinessReport {
  const oplog = "value" in input.host ? input.host.value.oplog : undefined;
  const running = new Set(
    input.tasks.tasks
      .filter((task) => effectiveTask(input.tasks, task, input.name).running)
      .map(({ id }) => id),
  );
  const facts = [
    phaseFact(input.phase),
    ...replicationFacts({
      tasks: input.tasks,
      running,
      dms: input.dms,
      oplog,
      renamed: new Set(input.renamed),
    }),
    ...hostFacts(input),
    failbackHostFact(input.failbackHost),
    ageFact("last backup of MongoDB", input.lastBackup, backupHoursMax, input.now),
    ageFact("last recovery test", input.lastRecoveryTest, recoveryTestHoursMax, input.now),
  ];
  return {
    version: 1,
    environment: input.environment,
    takenAt: input.now.toISOString(),
    verdict: verdictOf(facts),
    facts,
  };
}

function phaseFact(phase: Answer<string>): Fact {
  const limit = "normal: no failback is open";
  if ("reason" in phase)
    return unknownFact("phase", limit, phase.reason, "see that the bucket can be read, then run this again");
  return fact("phase", phase.value === "normal", {
    limit,
    value: phase.value,
    wayOut: "roundtrip status says which failback is open and what comes next",
  });
}

function hostFacts({ host, version }: ReadinessInput): readonly Fact[] {
  const limit = "its facts: MongoDB, DocumentDB, users, secrets, indexes, disk";
  if ("reason" in host)
    return [
      unknownFact(
        "host answers",
        limit,
        host.reason,
        "see that the operations host is on and SSM shows it online; what only it can see is not known until then",
      ),
    ];
  const { workerVersion, facts } = host.value;
  return [
    fact("host answers", true, { limit, value: `${facts.length} facts`, wayOut: "" }),
    fact("worker version", workerVersion === version, {
      limit: version,
      value: workerVersion,
      wayOut: "bring host and runner to one version with roundtrip runbook upgrade-worker",
    }),
    ...facts,
  ];
}

function failbackHostFact(state: Answer<InstanceState>): Fact {
  const limit = "running, or stopped so that failback-start can start it";
  const wayOut = "roundtrip apply creates the host again; see EC2 for what happened to it";
  if ("reason" in state && state.kind !== "configuration")
    return unknownFact("failback host", limit, state.reason, wayOut);
  if ("reason" in state) return fact("failback host", false, { limit, value: state.reason, wayOut });
  return fact("failback host", state.value === "running" || state.value === "stopped", {
    limit,
    value: state.value,
    wayOut,
  });
}

/** A failback succeeds without it; an old one is still worth a line. */
function ageFact(name: string, last: LastRun | undefined, hoursMax: number, now: Date): Fact {
  const limit =
    hoursMax >= 48 ? `at most ${hoursMax / 24} days ago, and good` : `at most ${hoursMax} h ago, and good`;
  if (!last)
    return { ...unknownFact(name, limit, "nothing on record", "see its runbook's page"), decides: false };
  const hours = (now.getTime() - Date.parse(last.finishedAt)) / 3_600_000;
  const value = `${last.ok ? "good" : "FAILED"}, ${last.finishedAt}`;
  const holds = last.ok && hours <= hoursMax;
  return {
    ...fact(name, holds, { limit, value, wayOut: "run it; its runbook's page says how" }),
    decides: false,
  };
}
