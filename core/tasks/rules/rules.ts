import type { TasksFile } from "../model.ts";
import type { Finding } from "../problem.ts";
import { collectionNames, collectionsOnce, qualifiedNames, renames } from "./collections.ts";
import { noHiddenCharacters } from "./hidden.ts";
import { databaseNames, databasesDifferByMoreThanCase, targetEndpoints, taskIdsOnce } from "./names.ts";
import { collectionsIn, type Rule } from "./place.ts";
import { nothingDroppedInProd, settingsFit } from "./settings.ts";

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
