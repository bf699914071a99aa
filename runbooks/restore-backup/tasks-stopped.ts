import type { Check } from "../../core/failback/documents.ts";
import { describeCalls, describeChosen, type OperationStep, required } from "../steps/selected-tasks.ts";
import { isConfirmed, isInPlace } from "./request.ts";

const stopped = ["stopped", "failed", "ready"];

/** DMS would carry what a restore drops and inserts. A preview only says so. */
export const tasksStopped: OperationStep = {
  name: "tasks-stopped",
  what: "in place: see that the environment is named, and that every DMS task is stopped",
  undo: "nothing was changed",
  every: true,
  plan: (context) => (isInPlace(context) ? describeCalls(context) : []),
  run: async (context) => {
    if (!isInPlace(context)) return { note: "beside: DMS does not see it" };
    const tasks = await describeChosen(context);
    const checks: Check[] = tasks.map(({ id, status }) => ({
      name: `DMS task ${id} is stopped`,
      ok: stopped.includes(status),
      expected: stopped.join(", "),
      got: status,
      wayOut: "run tasks-pause first",
    }));
    const { environment } = context.environment;
    const named = context.inputs["confirm-environment"] ?? "";
    checks.push({
      name: "the environment whose MongoDB is overwritten is named",
      ok: named === environment,
      expected: `confirm-environment=${environment}`,
      got: named,
      wayOut: `add the input confirm-environment=${environment}`,
    });
    if (isConfirmed(context)) return { checks: required(checks) };
    const open = checks.filter(({ ok }) => !ok);
    return {
      note: open.length > 0 ? `before it is confirmed: ${open.map(({ name }) => name).join("; ")}` : "",
    };
  },
};
