/** One set-up for drift's tests: as it was applied, and with one thing changed behind the back. */
import type { LiveSide, LiveState, LiveTask } from "../live/live-state.ts";
import type { Applied } from "../plan/applied.ts";
import { tasksOf } from "../plan/testing.ts";
import type { EnvironmentName } from "../tasks/model.ts";
import { type DriftInput, findDrift } from "./drift.ts";
import { publishedAs, standingAs } from "./testing.ts";

const tasks = tasksOf(
  "id: shop-orders, database: shop, collections: [orders, {name: lines, parallelLoad: {partitions: 4}}]",
  "id: billing, database: billing, collections: [invoices], environments: {dev: {running: false}}",
);
const document: Applied = {
  version: 1,
  environment: "prod",
  tasksText: "…",
  commit: "0123456789abcdef0123456789abcdef01234567",
  tree: "0".repeat(40),
  digest: `sha256:${"0".repeat(64)}`,
  appliedAt: "2026-11-20T10:00:00.000Z",
  by: { actor: "ada" },
};
export type Read = Extract<LiveSide, { reachable: true }>;
export const standing = (name: EnvironmentName = "prod") => standingAs(tasks, name);

export function drift(live: LiveState, rest: Partial<DriftInput> = {}) {
  const name = live.environment as EnvironmentName;
  return findDrift({
    environment: publishedAs(tasks, name),
    name,
    head: { tasks, name: "HEAD" },
    applied: { document, tasks },
    live,
    terraform: { planned: [], drifted: [] },
    phase: "normal",
    underWay: [],
    ...rest,
  });
}

/** What one change behind the back is told as. */
export function told(live: LiveState, rest: Partial<DriftInput> = {}): string[] {
  return drift(live, rest).findings.map(({ kind, what, expected, got, fix }) =>
    [kind, what, expected, got, fix].join(" | "),
  );
}

export function withTask(change: Partial<LiveTask>, name: EnvironmentName = "prod"): LiveState {
  const live = standing(name);
  if (!live.dms.reachable) throw new Error("unreachable");
  const [first, ...rest] = live.dms.tasks;
  return { ...live, dms: { reachable: true, tasks: [{ ...first!, ...change }, ...rest] } };
}

export function withCollections(
  side: "documentdb" | "mongodb",
  database: string,
  names: readonly string[],
  name: EnvironmentName = "prod",
): LiveState {
  const live = standing(name);
  const databases = live[side].databases.filter((each) => each.name !== database);
  const collections = names.map((each) => ({ name: each, documents: 5, bytes: 50, indexes: ["_id_"] }));
  return { ...live, [side]: { ...live[side], databases: [...databases, { name: database, collections }] } };
}
