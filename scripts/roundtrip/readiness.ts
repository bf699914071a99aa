import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { readApplied } from "../../adapters/live/applied.ts";
import { orReason, readDms } from "../../adapters/live/read-live-state.ts";
import { lastBackup, lastRun } from "../../adapters/state/backups.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { exitCodes } from "../../core/errors.ts";
import type { HostReadiness, ReadinessReport } from "../../core/readiness/model.ts";
import { assessReadiness } from "../../core/readiness/readiness.ts";
import { renderReadinessMarkdown, renderReadinessTerminal } from "../../core/readiness/render.ts";
import type { EnvironmentName } from "../../core/tasks/model.ts";
import { databasesOf, type Tasks } from "../../core/tasks/tasks.ts";
import { version } from "../../package.json" with { type: "json" };
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { lookOnHost } from "../../runbooks/steps/inspection.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";
import { environmentNameOf } from "./named-environment.ts";
import { readRevision } from "./revision.ts";

const exitNotReady = 2;
/** EX_USAGE: 2 says not ready here. */
const exitUsage = 64;

export const readinessCommand: Command = {
  name: "roundtrip readiness",
  summary: "Says whether a failback would succeed now, from facts, each with its limit.",
  usage: "roundtrip readiness --env ENV [--json|--markdown]",
  options: {
    env: { type: "string" },
    file: { type: "string", default: "tasks.yaml" },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
  },
  optionHelp: [
    ["--env ENV", "dev, qa or prod"],
    ["--file FILE", "tasks.yaml, where nothing was ever applied"],
    ["--json", "one document by schemas/readiness.schema.json"],
    ["--markdown", "for a job summary or an issue"],
  ],
  examples: ["roundtrip readiness --env prod", "roundtrip readiness --env prod --json | jq -r .verdict"],
  exitCodes: [
    ["0", "ready: every fact that decides is known and holds"],
    [String(exitNotReady), "not ready: a failback would not succeed now"],
    [String(exitCodes.unknown), "unknown: something could not be read, which is never ready"],
    [String(exitUsage), "the command line is wrong"],
    ["other", "it could not be looked at all, see docs/exit-codes.md"],
  ],
  usageExitCode: exitUsage,
  run: async (values, positionals) => {
    if (positionals.length > 0)
      throw usageError("take options only", positionals.join(" "), "roundtrip readiness --env ENV");
    if (values.json && values.markdown)
      throw usageError("choose one form", "--json and --markdown", "give one of them");
    const name = environmentNameOf(values.env);
    const deps = await dependenciesFor(name, () => {});
    const report = await readinessOf(deps, name, String(values.file));
    process.stdout.write(textOf(report, values));
    return { ready: exitCodes.ok, "not-ready": exitNotReady, unknown: exitCodes.unknown }[report.verdict];
  },
};

/** Asks DMS, EC2, the bucket and the host beside each other; what does not answer is a fact that isn't known. */
async function readinessOf(
  deps: RunbookDependencies,
  name: EnvironmentName,
  file: string,
): Promise<ReadinessReport> {
  const { environment, store, clock, instances, commands } = deps;
  const { tasks, renamed } = await declaredTasks(deps, file);
  const declaredIds = tasks.tasks.map(({ id }) => id);
  const databases = databasesOf(tasks).map((database) => database.name);
  const dmsTasks = new AwsReplicationTasks({ region: environment.region });
  const [phase, dms, host, failbackHost, backup, recoveryTest] = await Promise.all([
    orReason(async () => (await new PhaseStore(store, clock, environment.environment).read()).phase),
    orReason(() =>
      readDms(environment, { tasks: dmsTasks }, { declaredIds, tablesOf: new Set(declaredIds) }),
    ),
    orReason(async () => {
      const { data } = await lookOnHost(commands, environment, "readiness", {
        databases: databases.join(","),
      });
      return data as unknown as HostReadiness;
    }),
    orReason(() => instances.state(environment.instanceId)),
    lastBackup(store),
    lastRun(store, "restore-test"),
  ]);
  return assessReadiness({
    environment: environment.environment,
    name,
    now: clock.now(),
    tasks,
    renamed,
    phase,
    dms: "reason" in dms ? { reachable: false, reason: dms.reason } : dms.value,
    host,
    failbackHost,
    version,
    lastBackup: backup,
    lastRecoveryTest: recoveryTest,
  });
}

async function declaredTasks(
  { store, environment }: RunbookDependencies,
  file: string,
): Promise<{ tasks: Tasks; renamed: readonly string[] }> {
  const applied = await readApplied(store, environment.environment);
  if (applied) return { tasks: applied.tasks, renamed: applied.document.renamed ?? [] };
  const { tasks } = await readRevision("--file", file, file);
  if (tasks) return { tasks, renamed: [] };
  throw usageError(
    "know the tasks",
    `nothing was ever applied, and no ${file}`,
    "name the tasks file with --file",
  );
}

function textOf(report: ReadinessReport, values: Readonly<Record<string, unknown>>): string {
  if (values.json) return `${JSON.stringify(report)}\n`;
  return values.markdown ? renderReadinessMarkdown(report) : renderReadinessTerminal(report);
}
