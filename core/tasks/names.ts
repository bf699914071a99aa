import type { Tasks } from "./model.ts";

/** Databases MongoDB keeps for itself, and those Roundtrip writes its signals and its tests to. */
export const reservedDatabases: readonly string[] = [
  "admin",
  "local",
  "config",
  "roundtrip_control",
  "roundtrip_dr_test",
];

/** `<database>.<collection>` in bytes of UTF-8, MongoDB 4.4 and later. */
export const namespaceBytesMax = 255;
export const databaseBytesMax = 63;
const endpointLengthMax = 255;

/** Characters that show as nothing, or turn the text around them: control, bidirectional, zero-width, line separators. */
export const hiddenCharacter =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/u;

/** The DMS endpoint a database is written through: the declared one, or one named after it. */
export function endpointOf(tasks: Pick<Tasks, "targetEndpoints">, database: string): string {
  const declared = tasks.targetEndpoints;
  if (declared && Object.hasOwn(declared, database)) return declared[database]!;
  const words = database.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-|-$/g, "");
  return words === "" ? "" : `documentdb-${words.toLowerCase()}`.slice(0, endpointLengthMax);
}

/** Text as a message shows it: in quotes, hidden characters spelled out, never longer than a line. */
export function quoted(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  const spelled = JSON.stringify(shown).replace(new RegExp(hiddenCharacter.source, "gu"), spellOut);
  return spelled;
}

/** `U+202E`, as people look a character up. */
export function spellOut(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** The nearest of the known words, when it is near enough to be meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 40) return undefined;
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 3))
    ? best.candidate
    : undefined;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const replaced = row[j - 1]! + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[right.length]!;
}
