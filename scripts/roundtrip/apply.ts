import { createParameters } from "../../adapters/aws/parameters.ts";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { exitCodeOf, exitCodes } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import { scoreKey } from "../../core/plan/applied.ts";
import { renderTerminal } from "../../core/plan/render-terminal.ts";
import type { Infrastructure, ObjectStore } from "../../core/ports.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { type ProposalRequest, propose } from "../../runbooks/apply/proposal.ts";
import { applyOperation } from "../../runbooks/apply/runbook.ts";
import type { ApplyPorts } from "../../runbooks/apply/work.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import {
  executeOperation,
  type OperationRequest,
  operationPlanContext,
} from "../../runbooks/engine/operation.ts";
import { planOf, renderPlan } from "../../runbooks/engine/plan.ts";
import { callerOf } from "./caller.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";
import { loadEnvironment } from "./environment.ts";
import { assertCheckedOut, headRevision, isAncestor } from "./head.ts";
import { actionTimeoutSeconds, positive, reportRun } from "./report.ts";

type Values = Readonly<Record<string, unknown>>;
type InfrastructureFor = (
  environment: Environment,
  values: Values,
  say: (line: string) => void,
  store: ObjectStore,
) => Infrastructure;

/** `roundtrip apply`. What carries out the infrastructure's part is handed in: Terraform, or a test's. */
export function applyCommand(infrastructureFor: InfrastructureFor): Command {
  return {
    name: "roundtrip apply",
    summary: "Carries out the reviewed plan of tasks.yaml in one environment, and proves that it arrived.",
    usage: "roundtrip apply --env NAME --digest DIGEST [--head REF] [--mode plan|run] [--json]",
    options: {
      env: { type: "string" },
      head: { type: "string", default: "HEAD" },
      file: { type: "string", default: "tasks.yaml" },
      digest: { type: "string" },
      unreviewed: { type: "boolean" },
      "yes-delete": { type: "boolean" },
      accept: { type: "string", multiple: true },
      terraform: { type: "string", default: "terraform/stack" },
      "var-file": { type: "string", multiple: true },
      "backend-config": { type: "string", multiple: true },
      mode: { type: "string", default: "run" },
      "lease-seconds": { type: "string", default: "15" },
      json: { type: "boolean" },
    },
    optionHelp: [
      ["--env NAME", "dev, qa or prod, as Terraform published it"],
      ["--digest DIGEST", "of the plan that was reviewed; roundtrip plan --env NAME --head HEAD shows it"],
      ["--head REF", "the commit to apply; HEAD"],
      ["--file PATH", "where the tasks file is in that commit; tasks.yaml"],
      ["--unreviewed", "without --digest; in dev only"],
      ["--yes-delete", "with --unreviewed: databases and collections may be dropped"],
      ["--accept ADDRESS", "let pass a Terraform change the plan doesn't announce; repeat for several"],
      ["--terraform DIR", "the root module; terraform/stack"],
      ["--var-file FILE", "its variables; terraform/environments/<environment>.tfvars; repeat for several"],
      ["--backend-config name=value", "settings its backend leaves open; repeat for several"],
      ["--mode plan|run", "plan shows the plan and each step with its calls, and does nothing"],
      ["--lease-seconds N", "how long a silent holder keeps the lease; 15"],
      ["--json", "one JSON report on stdout"],
    ],
    examples: [
      "roundtrip apply --env prod --digest sha256:4f… --mode plan",
      "roundtrip apply --env prod --digest sha256:4f…",
      "roundtrip apply --env dev --unreviewed",
    ],
    run: (values, positionals) => run(infrastructureFor, values, positionals),
  };
}

async function run(
  infrastructureFor: InfrastructureFor,
  values: Values,
  positionals: readonly string[],
): Promise<number> {
  if (positionals.length > 0)
    throw usageError(
      "take options only",
      positionals.join(" "),
      "roundtrip apply --env NAME --digest DIGEST",
    );
  if (typeof values.env !== "string")
    throw usageError("choose the environment", "no --env", "add --env <name>");
  if (values.mode !== "run" && values.mode !== "plan")
    throw usageError("take --mode", String(values.mode), "one of: plan, run");
  const { digest, unreviewed, ...request } = requestOf(values, values.env);
  const head = await headRevision(String(values.head), String(values.file));
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const deps = await dependenciesFor(values.env, say);
  const proposed = await propose(deps.store, { ...request, ...(digest ? { digest } : {}), unreviewed, head });
  if (proposed.state === "applied") {
    const { applied } = proposed;
    say(`already applied: commit ${applied.commit}, ${applied.appliedAt}, by ${applied.by.actor}`);
    if (values.json)
      process.stdout.write(`${JSON.stringify({ succeeded: true, alreadyApplied: true, applied })}\n`);
    return exitCodes.ok;
  }
  const { proposal } = proposed;
  const accept = (values.accept as readonly string[] | undefined) ?? [];
  const operation = applyOperation(proposal, portsOf(deps, values, infrastructureFor), { accept });
  const operationRequest: OperationRequest = {
    operation,
    inputs: { digest: proposal.plan.digest },
    caller: callerOf(process.env),
    declared: parseTasks(proposal.head.tasksText),
    leaseSeconds: positive("--lease-seconds", String(values["lease-seconds"])),
    actionTimeoutSeconds,
  };
  if (values.mode === "plan") {
    const steps = planOf(operation, await operationPlanContext(deps, operationRequest));
    const { plan } = proposal;
    process.stdout.write(
      values.json
        ? `${JSON.stringify({ plan, steps })}\n`
        : `${renderTerminal(plan)}\n${renderPlan(operation, steps)}`,
    );
    return exitCodes.ok;
  }
  await assertCheckedOut(proposal.head);
  const report = await executeOperation(deps, operationRequest);
  const more = report.succeeded ? { score: scoreKey(report.operationId ?? "") } : {};
  await reportRun(deps, operation, report, {
    json: values.json === true,
    more: { digest: proposal.plan.digest, ...more },
  });
  return report.succeeded ? exitCodes.ok : exitCodeOf(report.error);
}

function requestOf(values: Values, environment: string): Omit<ProposalRequest, "head"> {
  const { digest } = values;
  if (typeof digest === "string" && !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw usageError(
      "take --digest",
      digest,
      "the digest as roundtrip plan shows it: sha256: and 64 hex digits",
    );
  if (digest !== undefined && values.unreviewed)
    throw usageError("choose one", "--digest and --unreviewed", "give --digest when there was a review");
  return {
    environment,
    ...(typeof digest === "string" ? { digest } : {}),
    unreviewed: values.unreviewed === true,
    yesDelete: values["yes-delete"] === true,
    isAncestor,
  };
}

function portsOf(
  { environment, endpoints, say, store }: RunbookDependencies,
  values: Values,
  infrastructureFor: InfrastructureFor,
): ApplyPorts {
  const { region } = environment;
  const tasks = new AwsReplicationTasks({ region });
  return {
    infrastructure: infrastructureFor(environment, values, say, store),
    dms: { live: (tablesOf) => tasks.live(tablesOf), endpoints: () => endpoints.list() },
    published: () => loadEnvironment(createParameters({ region }), environment.environment),
  };
}
