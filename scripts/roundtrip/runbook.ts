import { exitCodeOf, exitCodes } from "../../core/errors.ts";
import { operations, runbooks } from "../../runbooks/catalog.ts";
import { executeRunbook, planContext } from "../../runbooks/engine/execute.ts";
import type { RunbookDependencies, RunRequest } from "../../runbooks/engine/execution.ts";
import { executeOperation, operationPlanContext } from "../../runbooks/engine/operation.ts";
import { type PlannedStep, planOf, renderPlan } from "../../runbooks/engine/plan.ts";
import type { Operation, Runbook } from "../../runbooks/engine/runbook.ts";
import { callerOf } from "./caller.ts";
import { type Command, usageError } from "./command.ts";
import { declaredTasks } from "./declared-tasks.ts";
import { dependenciesFor } from "./dependencies.ts";
import { actionTimeoutSeconds, positive, reportRun } from "./report.ts";

const all: readonly (Runbook | Operation)[] = [...runbooks, ...operations];
const names = all.map(({ name }) => name).join(", ");

export const runbookCommand: Command = {
  name: "roundtrip runbook",
  summary: "Runs a runbook or an operation, from the step where its journal stops.",
  usage: "roundtrip runbook <name> --env <environment> [--mode plan|run] [--input name=value]… [--json]",
  options: {
    env: { type: "string" },
    mode: { type: "string", default: "run" },
    input: { type: "string", multiple: true },
    tasks: { type: "string" },
    "lease-seconds": { type: "string", default: "15" },
    json: { type: "boolean" },
  },
  optionHelp: [
    ["<name>", names],
    ["--env NAME", "the environment, as Terraform published it"],
    ["--mode plan|run", "plan prints each step with its exact calls and does nothing"],
    ["--input name=value", "an input of the runbook; repeat for several (its page lists them)"],
    ["--tasks FILE", "whose scope a start freezes; tasks.yaml, or without that file what was last applied"],
    ["--lease-seconds N", "how long a silent holder keeps the lease; 15"],
    ["--json", "one JSON report on stdout"],
  ],
  examples: [
    "roundtrip runbook failback-start --env prod --mode plan",
    "roundtrip runbook failback-start --env prod --input allow-remove=true --input stop-tasks=true",
    "roundtrip runbook failback-restore --env prod --json",
    "roundtrip runbook rotate-credentials --env prod --input change=password",
  ],
  run: async (values, positionals) => {
    const runbook = runbookNamed(positionals);
    const mode = choice("--mode", String(values.mode), ["plan", "run"]);
    if (typeof values.env !== "string")
      throw usageError("choose the environment", "no --env", "add --env <name>");
    const say = (line: string) => void process.stderr.write(`${line}\n`);
    const deps = await dependenciesFor(values.env, say);
    const inputs = inputsOf(runbook, (values.input as readonly string[] | undefined) ?? []);
    const { tasks, commit } = await declaredTasks(deps, values.tasks as string | undefined);
    const request: RunRequest = {
      inputs,
      caller: { ...callerOf(process.env), ...(commit === undefined ? {} : { commit }) },
      declared: tasks,
      leaseSeconds: positive("--lease-seconds", String(values["lease-seconds"])),
      actionTimeoutSeconds,
    };
    if (mode === "plan") {
      const steps = await plannedSteps(deps, runbook, request);
      process.stdout.write(values.json ? `${JSON.stringify(steps)}\n` : renderPlan(runbook, steps));
      return exitCodes.ok;
    }
    const report =
      runbook.kind === "operation"
        ? await executeOperation(deps, { ...request, operation: runbook })
        : await executeRunbook(deps, { ...request, runbook });
    await reportRun(deps, runbook, report, { json: values.json === true });
    return report.succeeded ? exitCodes.ok : exitCodeOf(report.error);
  },
};

async function plannedSteps(
  deps: RunbookDependencies,
  runbook: Runbook | Operation,
  request: RunRequest,
): Promise<PlannedStep[]> {
  return runbook.kind === "operation"
    ? planOf(runbook, await operationPlanContext(deps, { ...request, operation: runbook }))
    : planOf(runbook, await planContext(deps, { ...request, runbook }));
}

function runbookNamed(positionals: readonly string[]): Runbook | Operation {
  const found = all.find(({ name }) => name === positionals[0]);
  if (found && positionals.length === 1) return found;
  throw usageError("choose a runbook", positionals.join(" ") || "no name", `one of: ${names}`);
}

function inputsOf(runbook: Runbook | Operation, given: readonly string[]): Record<string, string> {
  const inputs = Object.fromEntries(runbook.inputs.map((input) => [input.name, input.default ?? ""]));
  for (const pair of given) {
    const [name = "", ...rest] = pair.split("=");
    const value = rest.join("=");
    const known = runbook.inputs.find((input) => input.name === name);
    const inputNames = runbook.inputs.map((input) => input.name).join(", ") || "none";
    if (!known) throw usageError(`take input ${name}`, pair, `inputs of ${runbook.name}: ${inputNames}`);
    if (!known.pattern.test(value))
      throw usageError(`take input ${name}`, value, `a value that matches ${known.pattern}`);
    inputs[name] = value;
  }
  for (const { name, description, pattern } of runbook.inputs) {
    if (!pattern.test(inputs[name] ?? ""))
      throw usageError(`run ${runbook.name}`, `no input ${name}`, `add --input ${name}=… (${description})`);
  }
  return inputs;
}

function choice(option: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  throw usageError(`take ${option}`, value, `one of: ${allowed.join(", ")}`);
}
