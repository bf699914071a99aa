import { RoundtripError } from "../errors.ts";
import type { ReplicationTask } from "../ports.ts";

/** `all`, or task ids with commas between. */
export const taskSelectionPattern = /^(all|[A-Za-z][A-Za-z0-9-]{0,254}(,[A-Za-z][A-Za-z0-9-]{0,254})*)$/;

interface Named {
  readonly id: string;
  readonly arn: string;
}

/** The published tasks a selection names. Fails `usage` for an id that isn't published, listing those that are. */
export function selectTasks<T extends Named>(published: readonly T[], selection: string): T[] {
  if (selection === "all") return [...published];
  const ids = [...new Set(selection.split(","))];
  const unknown = ids.filter((id) => !published.some((task) => task.id === id));
  if (unknown.length === 0) return published.filter(({ id }) => ids.includes(id));
  throw new RoundtripError({
    kind: "usage",
    what: `choose the DMS tasks ${unknown.join(", ")}`,
    expected: `all, or some of: ${published.map(({ id }) => id).join(", ")}`,
    got: selection,
    wayOut: "name tasks of this environment; one that is missing here is published by the next apply",
  });
}

/** Statuses in which DMS waits for nothing: a task in another one is on its way, and must not be touched. */
const restingStatuses = ["running", "stopped", "failed", "ready"];

export function isResting({ status }: ReplicationTask): boolean {
  return restingStatuses.includes(status);
}

/** A task as a person reads it: status, why it stopped, DMS's own last message. */
export function taskInWords({ status, stopReason, lastFailure }: ReplicationTask): string {
  return [status, stopReason, lastFailure].filter(Boolean).join("; ");
}
