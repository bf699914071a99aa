/** What the state of a table in DMS says about its collection. */
import type { TableStatistics } from "../ports.ts";

/** A collection that the source does not have (yet) has nothing to load. */
const loadedStates: ReadonlySet<string> = new Set(["Table completed", "Table does not exist"]);
const notBegun = "Before load";
const brokenStates: ReadonlySet<string> = new Set(["Table error", "Table cancelled"]);

/** DMS has given up on the table: nothing of it is followed until it is loaded again. */
export function isBroken({ state }: Pick<TableStatistics, "state">): boolean {
  return brokenStates.has(state);
}

/**
 * Loaded, nothing to load, or `renamed`: a collection that came to its name by a rename has its documents on both sides
 * already; DMS, which never loaded it under that name, goes on showing it as not begun.
 */
export function isLoaded(
  { schema, table, state }: Pick<TableStatistics, "schema" | "table" | "state">,
  renamed: ReadonlySet<string> = new Set(),
): boolean {
  return loadedStates.has(state) || (state === notBegun && renamed.has(`${schema}.${table}`));
}
