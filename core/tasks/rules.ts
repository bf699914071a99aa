import { effectiveTask } from "./effective.ts";
import {
  type Collection,
  environmentNames,
  nameOf,
  type Task,
  type TaskSettings,
  type Tasks,
  type TasksFile,
} from "./model.ts";
import {
  databaseBytesMax,
  endpointOf,
  hiddenCharacter,
  namespaceBytesMax,
  quoted,
  reservedDatabases,
} from "./names.ts";
import type { Finding, PathPart } from "./problem.ts";

/** A rule over the whole file: what the schema can't say because it looks at more than one place. */
type Rule = (file: TasksFile, report: (finding: Finding) => void, places: readonly Place[]) => void;

/** Every cross-field rule there is. */
const rules: readonly Rule[] = [
  taskIdsOnce,
  databaseNames,
  databasesDifferByMoreThanCase,
  collectionNames,
  collectionsOnce,
  qualifiedNames,
  renames,
  targetEndpoints,
  settingsFit,
  nothingDroppedInProd,
  noHiddenCharacters,
];

/** What the rules find in a file that keeps the schema. */
export function findingsOf(file: TasksFile): Finding[] {
  const findings: Finding[] = [];
  const places = collectionsIn(file);
  for (const rule of rules) rule(file, (finding) => findings.push(finding), places);
  return findings;
}

function taskIdsOnce(file: TasksFile, report: (finding: Finding) => void): void {
  const first = new Map<string, number>();
  for (const [index, { id }] of file.tasks.entries()) {
    const other = first.get(id);
    if (other === undefined) first.set(id, index);
    else
      report({
        code: "duplicate-task",
        path: ["tasks", index, "id"],
        message: `${quoted(id)} is already the id of tasks[${other}]; expected an id of its own`,
        fix: `rename one of the two, or move its collections to tasks[${other}]`,
      });
  }
}

function databaseNames(file: TasksFile, report: (finding: Finding) => void): void {
  for (const [index, { database }] of file.tasks.entries()) {
    const path = ["tasks", index, "database"];
    const bytes = Buffer.byteLength(database);
    if (reservedDatabases.includes(database.toLowerCase()))
      report({
        code: "reserved-database",
        path,
        message: `${quoted(database)} belongs to MongoDB or to Roundtrip; expected a database of an application`,
        fix: "remove the task",
      });
    else if (bytes > databaseBytesMax)
      report({
        code: "name-too-long",
        path,
        message: `${quoted(database)} has ${bytes} bytes; expected at most ${databaseBytesMax} (MongoDB refuses more)`,
        fix: "write the database's exact name",
      });
  }
}

function databasesDifferByMoreThanCase(file: TasksFile, report: (finding: Finding) => void): void {
  const first = new Map<string, string>();
  for (const [index, { database }] of file.tasks.entries()) {
    const other = first.get(database.toLowerCase());
    if (other === undefined) first.set(database.toLowerCase(), database);
    else if (other !== database)
      report({
        code: "database-case",
        path: ["tasks", index, "database"],
        message: `${quoted(database)} differs from ${quoted(other)} by case alone; expected one spelling (MongoDB refuses two)`,
        fix: `write ${quoted(other)}, or correct the other`,
      });
  }
}

function collectionNames(_: TasksFile, report: (finding: Finding) => void, places: readonly Place[]): void {
  for (const place of places) {
    const { task, name } = place;
    const bytes = Buffer.byteLength(task.database) + 1 + Buffer.byteLength(name);
    if (bytes > namespaceBytesMax)
      report({
        code: "name-too-long",
        path: pathOf(place),
        message: `${quoted(`${task.database}.${name}`)} has ${bytes} bytes; expected at most ${namespaceBytesMax} (MongoDB refuses more)`,
        fix: "write the collection's exact name",
      });
    else if (name.startsWith(".") || name.endsWith(".") || name.includes(".."))
      report({
        code: "collection-name",
        path: pathOf(place),
        message: `${quoted(name)} has an empty part; expected dots between words only (MongoDB refuses others)`,
        fix: "write the collection's exact name",
      });
  }
}

function collectionsOnce(
  file: TasksFile,
  report: (finding: Finding) => void,
  places: readonly Place[],
): void {
  const first = new Map<string, { task: number; item: number }>();
  for (const place of places) {
    const { task, index, item, name } = place;
    // No database name holds a dot, so the joined name can't be read two ways.
    const namespace = `${task.database}.${name}`;
    const other = first.get(namespace);
    if (!other) first.set(namespace, { task: index, item });
    else if (other.task === index)
      report({
        code: "duplicate-collection",
        path: pathOf(place),
        message: `${quoted(name)} stands here and at collections[${other.item}]; expected each collection once`,
        fix: "remove one of the two",
      });
    else
      report({
        code: "collection-in-two-tasks",
        path: pathOf(place),
        message: `${quoted(name)} is already in task ${quoted(file.tasks[other.task]!.id)}, tasks[${other.task}].collections[${other.item}]; expected each collection in one task`,
        fix: "remove it from one of the two",
      });
  }
}

/** `database.collection` where a collection belongs: almost always a second database that crept in. */
function qualifiedNames(file: TasksFile, report: (finding: Finding) => void, places: readonly Place[]): void {
  const databases = new Set(file.tasks.map(({ database }) => database));
  for (const place of places) {
    const { task, entry, name } = place;
    const prefix = name.slice(0, Math.max(0, name.indexOf(".")));
    // Written as {name: …} it is taken at its word: a collection's name may hold dots.
    if (typeof entry !== "string" || prefix === "" || !databases.has(prefix)) continue;
    const own = prefix === task.database;
    report({
      code: own ? "qualified-name" : "two-databases",
      path: pathOf(place),
      message: own
        ? `${quoted(name)} repeats the task's database; expected the collection alone, ${quoted(name.slice(prefix.length + 1))}`
        : `${quoted(name)} is a collection of database ${quoted(prefix)} in a task of ${quoted(task.database)}; expected one database a task`,
      fix: own
        ? `write ${name.slice(prefix.length + 1)}; if the dot belongs to the name, write {name: ${name}}`
        : `move it to a task of ${prefix}; if the dot belongs to the name, write {name: ${name}}`,
    });
  }
}

function renames(_: TasksFile, report: (finding: Finding) => void, places: readonly Place[]): void {
  if (!places.some(({ entry }) => typeof entry !== "string" && entry.renamedFrom !== undefined)) return;
  const declared = new Set(places.map(({ task, name }) => `${task.database}.${name}`));
  const sources = new Map<string, string>();
  for (const at of places) {
    const { task, entry, name } = at;
    const from = typeof entry === "string" ? undefined : entry.renamedFrom;
    if (from === undefined) continue;
    const place = { path: [...pathOf(at), "renamedFrom"] };
    const other = sources.get(`${task.database}.${from}`);
    sources.set(`${task.database}.${from}`, name);
    if (from === name)
      report({
        ...place,
        code: "renamed-from-itself",
        message: `${quoted(from)} is its own name; expected the name before the rename`,
        fix: "remove renamedFrom",
      });
    else if (declared.has(`${task.database}.${from}`))
      report({
        ...place,
        code: "renamed-from-declared",
        message: `${quoted(from)} is still declared in database ${quoted(task.database)}; expected a name that is gone`,
        fix: `remove ${from} from the collections, or remove renamedFrom`,
      });
    else if (other !== undefined)
      report({
        ...place,
        code: "renamed-from-twice",
        message: `${quoted(from)} was already renamed to ${quoted(other)}; expected each old name once`,
        fix: "keep renamedFrom at one of the two",
      });
  }
}

function targetEndpoints(file: TasksFile, report: (finding: Finding) => void): void {
  const databases = new Set(file.tasks.map(({ database }) => database));
  for (const database of Object.keys(file.targetEndpoints ?? {}))
    if (!databases.has(database))
      report({
        code: "unused-endpoint",
        path: ["targetEndpoints", database],
        atKey: true,
        message: `${quoted(database)} is the database of no task; expected one of ${[...databases].slice(0, 10).join(", ")}`,
        fix: "remove the line, or correct the database",
      });
  const users = new Map<string, string>();
  for (const [index, { database }] of file.tasks.entries()) {
    const endpoint = endpointOf(file, database).toLowerCase();
    const path: PathPart[] = Object.hasOwn(file.targetEndpoints ?? {}, database)
      ? ["targetEndpoints", database]
      : ["tasks", index, "database"];
    const other = users.get(endpoint);
    if (endpoint === "")
      report({
        code: "endpoint-id",
        path,
        message: `${quoted(database)} gives no endpoint identifier, it has no letter or digit; expected one DMS accepts`,
        fix: `name one: targetEndpoints: {${JSON.stringify(database)}: documentdb-…}`,
      });
    else if (other === undefined) users.set(endpoint, database);
    else if (other !== database && other.toLowerCase() !== database.toLowerCase()) {
      users.set(endpoint, database);
      report({
        code: "endpoint-conflict",
        path,
        message: `endpoint ${quoted(endpoint)} of ${quoted(database)} is already that of ${quoted(other)}; expected one endpoint a database`,
        fix: `name another: targetEndpoints: {${JSON.stringify(database)}: …}`,
      });
    }
  }
}

function settingsFit(file: TasksFile, report: (finding: Finding) => void): void {
  for (const { settings, path } of settingsIn(file)) {
    const { lob } = settings;
    if (!lob) continue;
    const wrong = (key: string, message: string, fix: string) =>
      report({ code: "lob-settings", path: [...path, "lob", ...(key ? [key] : [])], message, fix });
    if (lob.mode === "limited" && lob.maxKilobytes === undefined)
      wrong(
        "",
        "limited without maxKilobytes; expected the longest document's size",
        "add maxKilobytes: 16384",
      );
    if (lob.mode === "full" && lob.maxKilobytes !== undefined)
      wrong(
        "maxKilobytes",
        `${lob.maxKilobytes} with mode full; expected maxKilobytes with limited only`,
        "remove it, or write mode: limited",
      );
    if (lob.mode === "limited" && lob.chunkKilobytes !== undefined)
      wrong(
        "chunkKilobytes",
        `${lob.chunkKilobytes} with mode limited; expected chunkKilobytes with full only`,
        "remove it, or write mode: full",
      );
  }
}

/** prod never drops a collection (R3), and that is what DMS would do before a load. */
function nothingDroppedInProd(file: TasksFile, report: (finding: Finding) => void): void {
  const tasks = file as unknown as Tasks;
  for (const [index, task] of file.tasks.entries()) {
    if (effectiveTask(tasks, task as Task, "prod").settings.targetPreparation !== "drop-tables") continue;
    report({
      code: "drop-in-prod",
      path: preparationPath(file, index),
      message: `task ${quoted(task.id)} would drop its collections in prod before a load; expected do-nothing in prod`,
      fix: "write environments: {prod: {settings: {targetPreparation: do-nothing}}} in the task, or drop-tables in dev and qa only",
    });
  }
}

function preparationPath(file: TasksFile, index: number): PathPart[] {
  const task = file.tasks[index]!;
  const key = ["settings", "targetPreparation"];
  if (task.environments?.prod?.settings?.targetPreparation)
    return ["tasks", index, "environments", "prod", ...key];
  return task.settings?.targetPreparation ? ["tasks", index, ...key] : ["defaults", ...key];
}

/** The text was looked through already; this finds what YAML's own escapes put into a value. */
function noHiddenCharacters(
  file: TasksFile,
  report: (finding: Finding) => void,
  places: readonly Place[],
): void {
  const check = (text: string | undefined, path: readonly PathPart[], atKey = false) => {
    if (text === undefined || !hiddenValue.test(text)) return;
    report({
      code: "hidden-character",
      path,
      atKey,
      message: `${quoted(text)} holds a character that can't be seen; expected characters that can be seen`,
      fix: "delete the escape",
    });
  };
  for (const [index, task] of file.tasks.entries()) check(task.database, ["tasks", index, "database"]);
  for (const place of places) {
    const { entry, name } = place;
    if (typeof entry === "string") {
      if (hiddenValue.test(name)) check(name, pathOf(place));
      continue;
    }
    const path = pathOf(place);
    check(name, [...path, "name"]);
    check(entry.renamedFrom, [...path, "renamedFrom"]);
    for (const [at, text] of (entry.parallelLoad?.boundaries ?? []).entries())
      check(text, [...path, "parallelLoad", "boundaries", at]);
  }
  for (const database of Object.keys(file.targetEndpoints ?? {}))
    check(database, ["targetEndpoints", database], true);
}

const hiddenValue = new RegExp(`${hiddenCharacter.source}|[\\t\\r\\n]`, "u");

interface Place {
  readonly task: TasksFile["tasks"][number];
  readonly index: number;
  readonly entry: string | Collection;
  readonly item: number;
  readonly name: string;
}

/** Every collection of the file, gathered once for all rules. */
function collectionsIn(file: TasksFile): Place[] {
  const places: Place[] = [];
  for (const [index, task] of file.tasks.entries())
    for (const [item, entry] of task.collections.entries())
      places.push({ task, index, entry, item, name: nameOf(entry) });
  return places;
}

function pathOf({ index, item }: Place): PathPart[] {
  return ["tasks", index, "collections", item];
}

function* settingsIn(file: TasksFile): Generator<{ settings: TaskSettings; path: PathPart[] }> {
  if (file.defaults?.settings) yield { settings: file.defaults.settings, path: ["defaults", "settings"] };
  for (const [index, task] of file.tasks.entries()) {
    if (task.settings) yield { settings: task.settings, path: ["tasks", index, "settings"] };
    for (const environment of environmentNames) {
      const settings = task.environments?.[environment]?.settings;
      if (settings) yield { settings, path: ["tasks", index, "environments", environment, "settings"] };
    }
  }
}
