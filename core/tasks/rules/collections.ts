import type { TasksFile } from "../model.ts";
import { namespaceBytesMax, quoted } from "../names.ts";
import type { Finding } from "../problem.ts";
import { type Place, pathOf } from "./place.ts";

export function collectionNames(
  _: TasksFile,
  report: (finding: Finding) => void,
  places: readonly Place[],
): void {
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
    else if (name !== name.normalize("NFC"))
      report({
        code: "collection-name",
        path: pathOf(place),
        message: `${quoted(name)} has a letter and its accent as two characters; expected one (Terraform joins them, and DMS would look for another collection)`,
        fix: "write it with joined characters; where the collection itself is named so, rename it in MongoDB first",
      });
  }
}

export function collectionsOnce(
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
export function qualifiedNames(
  file: TasksFile,
  report: (finding: Finding) => void,
  places: readonly Place[],
): void {
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

export function renames(_: TasksFile, report: (finding: Finding) => void, places: readonly Place[]): void {
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
