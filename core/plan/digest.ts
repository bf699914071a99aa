import { sha256Of } from "../sha256.ts";
import type { Tasks } from "../tasks/model.ts";
import type { Plan } from "./model.ts";

/** Of what the tasks say, not of how the file is written. */
export function tasksHashOf(tasks: Tasks): string {
  return digestOfValue(tasks);
}

/** What was reviewed: the head's tree, its tasks and every change. Comments and names of revisions don't count. */
export function digestOf(plan: Omit<Plan, "digest">): string {
  const changed = plan.tasks
    .filter(({ action, reasons }) => action !== "none" || reasons.length > 0)
    .map(({ reasons, ...task }) => ({
      ...task,
      // The rule says why; its wording may be improved without anybody having to review again.
      reasons: reasons.map(({ rule, action, change, environments }) => [rule, action, change, environments]),
    }));
  const { tasksHash, endpoints, environments } = plan;
  return digestOfValue({ tree: plan.head.tree ?? "", tasksHash, changed, endpoints, environments });
}

/** Of any JSON: the same whatever the order of keys. */
export function digestOfValue(value: unknown): string {
  return `sha256:${sha256Of(canonical(value))}`;
}

/** JSON with the keys of every object in order. */
function canonical(value: unknown): string {
  return JSON.stringify(inKeyOrder(value));
}

function inKeyOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(inKeyOrder);
  const record = value as Readonly<Record<string, unknown>>;
  const ordered: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(record).sort()) ordered[key] = inKeyOrder(record[key]);
  return ordered;
}
