import type { TasksFile } from "../model.ts";
import { hiddenCharacter, quoted } from "../names.ts";
import type { Finding, PathPart } from "../problem.ts";
import { type Place, pathOf } from "./place.ts";

const hiddenValue = new RegExp(`${hiddenCharacter.source}|[\\t\\r\\n]`, "u");

/** The text was looked through already; this finds what YAML's own escapes put into a value. */
export function noHiddenCharacters(
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
