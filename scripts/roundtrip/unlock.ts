import { LockHolders } from "../../adapters/state/lock-holders.ts";
import { interruptGraceSecondsDefault } from "../../adapters/terraform/infrastructure.ts";
import { exitCodeOf, exitCodes } from "../../core/errors.ts";
import {
  executeOperation,
  type OperationRequest,
  operationPlanContext,
} from "../../runbooks/engine/operation.ts";
import { planOf, renderPlan } from "../../runbooks/engine/plan.ts";
import { unlockWithState } from "../../runbooks/unlock/runbook.ts";
import { callerOf } from "./caller.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";
import { actionTimeoutSeconds, positive, reportRun } from "./report.ts";
import { terraformFor } from "./terraform.ts";

/** Beside the two graces after which an interrupted Terraform is killed: for a run to see that its lease is lost. */
const noticeSeconds = 60;

export const unlockCommand: Command = {
  name: "roundtrip unlock",
  summary: "Frees the environment's lease and the lock of Terraform's state, when the holder is proved dead.",
  usage: "roundtrip unlock --env NAME [--mode plan|run] [--json]",
  options: {
    env: { type: "string" },
    terraform: { type: "string", default: "terraform/stack" },
    "var-file": { type: "string", multiple: true },
    "backend-config": { type: "string", multiple: true },
    mode: { type: "string", default: "run" },
    "lease-seconds": { type: "string", default: "15" },
    json: { type: "boolean" },
  },
  optionHelp: [
    ["--env NAME", "dev, qa or prod, as Terraform published it"],
    ["--terraform DIR", "the root module; terraform/stack"],
    ["--var-file FILE", "its variables; terraform/environments/<environment>.tfvars; repeat for several"],
    ["--backend-config name=value", "settings its backend leaves open, as for apply; repeat for several"],
    ["--mode plan|run", "plan shows each step with its calls, and does nothing"],
    ["--lease-seconds N", "how long a silent holder keeps the lease; 15"],
    ["--json", "one JSON report on stdout"],
  ],
  examples: ["roundtrip unlock --env prod --backend-config bucket=… --backend-config key=prod.tfstate"],
  run: async (values, positionals) => {
    if (positionals.length > 0)
      throw usageError("take options only", positionals.join(" "), "roundtrip unlock --env NAME");
    if (typeof values.env !== "string")
      throw usageError("choose the environment", "no --env", "add --env <name>");
    if (values.mode !== "run" && values.mode !== "plan")
      throw usageError("take --mode", String(values.mode), "one of: plan, run");
    const say = (line: string) => void process.stderr.write(`${line}\n`);
    const deps = await dependenciesFor(values.env, say);
    const leaseSeconds = positive("--lease-seconds", String(values["lease-seconds"]));
    using locks = terraformFor(deps.environment, values, say, deps.store, { lockTimeoutSeconds: 0 });
    const operation = unlockWithState({
      locks,
      holders: new LockHolders(deps.store),
      silenceSeconds: leaseSeconds + 2 * interruptGraceSecondsDefault + noticeSeconds,
    });
    const request: OperationRequest = {
      operation,
      inputs: {},
      caller: callerOf(process.env),
      // It is about no task.
      declared: { version: 1, tasks: [] },
      leaseSeconds,
      actionTimeoutSeconds,
    };
    if (values.mode === "plan") {
      const steps = planOf(operation, await operationPlanContext(deps, request));
      process.stdout.write(values.json ? `${JSON.stringify(steps)}\n` : renderPlan(operation, steps));
      return exitCodes.ok;
    }
    const report = await executeOperation(deps, request);
    await reportRun(deps, operation, report, { json: values.json === true });
    return report.succeeded ? exitCodes.ok : exitCodeOf(report.error);
  },
};
