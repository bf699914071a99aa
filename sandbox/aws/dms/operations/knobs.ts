/** `/_sandbox/dms`: what only a stand-in can be told. POST sets, GET shows settings, checkpoints and refused changes. */
import { AwsError } from "../../service.ts";
import { defaultKnobs, type Knobs } from "../model.ts";
import type { Dms } from "../service.ts";

function taskArn(dms: Dms, taskId: unknown): string | undefined {
  if (taskId === undefined) return undefined;
  const task = dms.store.all("task").find(({ id, arn }) => id === taskId || arn === taskId);
  if (!task) throw new AwsError("ResourceNotFoundFault", `no task ${String(taskId)}`, 404);
  return task.arn;
}

function readKnobs(input: Record<string, unknown>): Partial<Knobs> {
  const known = defaultKnobs as unknown as Record<string, unknown>;
  for (const [name, value] of Object.entries(input)) {
    if (!(name in known))
      throw new AwsError(
        "ValidationException",
        `no such setting: ${name}; there are taskId, ${Object.keys(known).join(", ")}`,
      );
    if (typeof value !== typeof known[name] || (typeof value === "number" && !(value >= 0))) {
      throw new AwsError(
        "ValidationException",
        `${name}: expected a ${typeof known[name]}, got ${JSON.stringify(value)}`,
      );
    }
  }
  return input as Partial<Knobs>;
}

/** Sets for one task (`taskId`: its identifier or ARN) or for all. */
async function set(dms: Dms, request: Request): Promise<object> {
  const { taskId, ...rest } = (await request.json()) as Record<string, unknown>;
  const arn = taskArn(dms, taskId);
  const key = arn ?? "*";
  dms.store.put("knobs", key, { ...dms.store.get("knobs", key), ...readKnobs(rest) });
  return dms.store.knobs(arn);
}

export function controlDms(dms: Dms, request: Request): Promise<object> | object {
  if (request.method === "POST") return set(dms, request);
  const tasks = dms.store.all("task").map((task) => ({
    id: task.id,
    arn: task.arn,
    status: task.status,
    knobs: dms.store.knobs(task.arn),
    progress: dms.store.get("progress", task.arn),
    exceptions: dms.store.exceptions(task.arn),
  }));
  return { knobs: dms.store.knobs(), tasks };
}
