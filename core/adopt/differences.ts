/** What a person has to know of the tasks: state against file, and what stays in DMS otherwise than tasks.yaml says. */
import { listed } from "../plan/words.ts";
import { dmsPattern } from "../tasks/dms-pattern.ts";
import { rulesOf } from "../tasks/import.ts";
import { collectionsOfRules, type OldRule, type SourceNames } from "../tasks/import-rules.ts";
import type { Task } from "../tasks/model.ts";
import { quoted } from "../tasks/names.ts";
import type { ReadSettings } from "./settings.ts";
import type { OldTask } from "./setup.ts";

type Json = Readonly<Record<string, unknown>>;

/** A task of the state, read. */
export interface FoundTask extends OldTask {
  readonly rules: OldRule[];
  readonly settings: ReadSettings;
}

/** A task's id as DMS keeps it. */
export function idOf(old: Json): string {
  return String(old.task_id).trim().toLowerCase();
}

/** What the old tasks file and the state say differently, each with what becomes of it. */
export function differences(
  inFile: readonly Json[],
  found: readonly FoundTask[],
  file: string,
  names?: SourceNames,
): string[] {
  const lines: string[] = [];
  const byId = new Map(found.map((task) => [task.id, task]));
  const seen = new Set<string>();
  for (const old of inFile) {
    const id = idOf(old);
    seen.add(id);
    const task = byId.get(id);
    if (!task) {
      lines.push(
        `task ${quoted(id)} of ${file} isn't in the state: left out; add it when the set-up is adopted`,
      );
      continue;
    }
    const key = String(old.target_endpoint_key ?? "").trim();
    const endpoint = task.target.text("endpoint_id") ?? "";
    if (key !== "" && key.toLowerCase() !== endpoint.toLowerCase())
      lines.push(
        `task ${quoted(id)}: ${file} names endpoint ${quoted(key)}, the state ${quoted(endpoint)}: kept as in the state`,
      );
    const [wanted, has] = [rulesOf(old, `task ${quoted(id)}`, file), task.rules].map((rules) =>
      namespacesOf(rules, names),
    );
    const missing = wanted!.filter((name) => !has!.includes(name));
    const more = has!.filter((name) => !wanted!.includes(name));
    if (missing.length > 0)
      lines.push(
        `task ${quoted(id)}: ${listed(missing)} of ${file} isn't in the state's mappings: left out; add it when the set-up is adopted`,
      );
    if (more.length > 0)
      lines.push(
        `task ${quoted(id)}: the state has ${listed(more)}, ${file} hasn't: kept, because DMS replicates it`,
      );
  }
  for (const { id } of found)
    if (!seen.has(id))
      lines.push(`task ${quoted(id)} is in the state and not in ${file}: kept, because DMS runs it`);
  return lines;
}

/** What rules take, as text that shows wildcards as they are where the source's names aren't known. */
function namespacesOf(rules: readonly OldRule[], names?: SourceNames): string[] {
  const out = { notes: [], losses: [] as string[] };
  const found = [...collectionsOfRules(rules, names, "", out)];
  return [
    ...found.flatMap(([database, byName]) => [...byName.keys()].map((name) => `${database}.${name}`)),
    ...out.losses,
  ].sort();
}

/** How the collections of a task differ from what its rules in DMS take; undefined when they are the same. */
export function mappingsChange(
  task: Task,
  rules: readonly OldRule[],
  names?: SourceNames,
): string | undefined {
  const before = [...collectionsOfRules(rules, names, "", { notes: [], losses: [] })].flatMap(
    ([database, byName]) => [...byName.keys()].map((name) => `${database}.${name}`),
  );
  const after = new Set(task.collections.map(({ name }) => `${task.database}.${name}`));
  const without = before.filter((name) => !after.has(name));
  return without.length > 0 ? `without ${listed(without)}` : undefined;
}

/** The old rule stays in DMS, and takes what appears later. */
export function wildcardNote({ id, rules }: FoundTask): string[] {
  const open = rules.filter((rule) => {
    const { "schema-name": schema, "table-name": table } = (rule["object-locator"] ?? {}) as Json;
    const isExact = [schema, table].every((name) => dmsPattern(String(name ?? "")).literal !== undefined);
    return rule["rule-action"] === "include" && !isExact;
  });
  return open.length === 0
    ? []
    : [
        `task ${quoted(id)}: its wildcard stays in DMS until the task is changed in tasks.yaml; a collection that appears before is replicated without being declared`,
      ];
}

/** Tasks with the same settings share a line. */
export function settingsNotes(found: readonly FoundTask[]): string[] {
  const byRest = new Map<string, string[]>();
  for (const { id, settings } of found)
    if (settings.rest !== undefined)
      byRest.set(settings.rest, [...(byRest.get(settings.rest) ?? []), quoted(id)]);
  return [...byRest].map(
    ([rest, ids]) =>
      `${ids.length === 1 ? "task" : "tasks"} ${listed(ids)}: DMS has ${rest}; that stays until the task's settings are changed in tasks.yaml`,
  );
}
