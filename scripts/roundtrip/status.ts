import { readJson } from "../../adapters/state/json.ts";
import { PhaseStore } from "../../adapters/state/phase-store.ts";
import { exitCodes } from "../../core/errors.ts";
import type { CurrentFailback, ServiceStatus, Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { legalNext } from "../../core/failback/phase.ts";
import { writersIn } from "../../core/failback/writers.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";

interface StatusReport {
  readonly environment: string;
  readonly phase: string;
  readonly failbackId: string;
  readonly since?: string;
  readonly next: string;
  readonly writers: { readonly mongodb: string; readonly documentdb: string };
  readonly host: string;
  readonly services: readonly ServiceStatus[];
  readonly retentionSeconds: number;
  readonly verdict?: Verdict;
}

export const statusCommand: Command = {
  name: "roundtrip status",
  summary: "Shows where an environment stands: phase, who may write where, capture, token age, last verdict.",
  usage: "roundtrip status --env <environment> [--json]",
  options: { env: { type: "string" }, json: { type: "boolean" } },
  optionHelp: [
    ["--env NAME", "the environment, as Terraform published it"],
    ["--json", "one JSON document on stdout"],
  ],
  examples: ["roundtrip status --env prod", "roundtrip status --env prod --json | jq .phase"],
  run: async (values) => {
    if (typeof values.env !== "string")
      throw usageError("choose the environment", "no --env", "add --env <name>");
    const deps = await dependenciesFor(values.env, () => {});
    const report = await statusOf(deps);
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : render(report));
    return exitCodes.ok;
  },
};

async function statusOf(deps: RunbookDependencies): Promise<StatusReport> {
  const { environment, store } = deps;
  const current: CurrentFailback = await new PhaseStore(store, deps.clock, environment.environment).read();
  const services: ServiceStatus[] = [];
  let verdict: Verdict | undefined;
  if (current.failbackId) {
    const keys = keysOf(current.failbackId);
    for await (const { key } of store.list(keys.status("").replace(/\.json$/, ""))) {
      const found = await readJson<ServiceStatus>(store, key);
      if (found) services.push(found.value);
    }
    verdict = (await readJson<Verdict>(store, keys.verdict))?.value;
  }
  const since = current.history.at(-1)?.at;
  return {
    environment: environment.environment,
    phase: current.phase,
    failbackId: current.failbackId,
    ...(since ? { since } : {}),
    next: legalNext(current.phase),
    writers: writersIn(current.phase),
    host: await deps.instances.state(environment.instanceId),
    services,
    retentionSeconds: environment.documentdb.changeStreamRetentionSeconds,
    ...(verdict ? { verdict } : {}),
  };
}

function render(report: StatusReport): string {
  const lines = [
    `${report.environment}: phase ${report.phase}${report.failbackId ? ` (failback ${report.failbackId})` : ""}`,
    ...(report.since ? [`  since            ${report.since}`] : []),
    `  next             ${report.next}`,
    `  MongoDB          ${report.writers.mongodb}`,
    `  DocumentDB       ${report.writers.documentdb}`,
    `  failback host    ${report.host}`,
  ];
  const replication = report.services.find((service) => service.service === "replication");
  // Once capture has ended on purpose, its last lag and token age say nothing about now.
  const ended = replication?.state === "stopped" || replication?.state === "finished";
  const capture = ended ? undefined : replication?.detail;
  if (capture) {
    lines.push(`  capture lag      ${capture.lagMs ?? "unknown"} ms`);
    lines.push(
      `  token age        ${capture.tokenAgeSeconds ?? "unknown"} s of ${report.retentionSeconds} s retention`,
    );
  }
  lines.push(
    `  last verdict     ${report.verdict ? `${report.verdict.verdict} at ${report.verdict.takenAt}` : "none"}`,
  );
  for (const service of report.services) {
    const error = service.error
      ? `: ${service.error.what}, got ${service.error.got}. ${service.error.wayOut}`
      : "";
    lines.push(`  ${service.service.padEnd(20)} ${service.state} at ${service.updatedAt}${error}`);
  }
  return `${lines.join("\n")}\n`;
}
