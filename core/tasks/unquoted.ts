import { type Document, isAlias, isMap, isScalar, isSeq, Scalar } from "yaml";
import type { TasksFile } from "./model.ts";
import { quoted } from "./names.ts";
import type { Finding, PathPart } from "./problem.ts";

/**
 * Bare words that YAML 1.2 reads as text, and Terraform's `yamldecode` (seen with 1.11) as a truth value or a time:
 * `on`, `No`, `2024-01-31`.
 */
const words = "y Y yes Yes YES n N no No NO on On ON off Off OFF".split(" ");
const truthValues: ReadonlySet<string> = new Set(words);
const time = /^\d{4}-\d{1,2}-\d{1,2}(?:$|[Tt ])/;

/** Whether Terraform takes a bare word for something else than text. */
export function isOtherForTerraform(text: string): boolean {
  return text.length <= 3 ? truthValues.has(text) : time.test(text);
}

/** Names without quotes that Terraform, which reads the same file, would take for something else. */
export function unquotedNames(file: TasksFile, document: Document): Finding[] {
  const findings: Finding[] = [];
  // Most names are no such word: their paths are not made.
  const check = (name: string | undefined, path: () => PathPart[], atKey = false) => {
    if (name === undefined || !isOtherForTerraform(name) || !isBare(document, path(), atKey)) return;
    findings.push({
      code: "unquoted-name",
      path: path(),
      ...(atKey ? { atKey } : {}),
      message: `${quoted(name)} stands here without quotes, and Terraform takes it for something else than text; expected quotes around it`,
      fix: `write ${quoted(name)}, with the quotes`,
    });
  };
  for (const database of Object.keys(file.targetEndpoints ?? {}))
    check(database, () => ["targetEndpoints", database], true);
  for (const [index, { id, database, collections }] of file.tasks.entries()) {
    check(id, () => ["tasks", index, "id"]);
    check(database, () => ["tasks", index, "database"]);
    for (const [place, entry] of collections.entries()) {
      const path = () => ["tasks", index, "collections", place];
      if (typeof entry === "string") {
        check(entry, path);
        continue;
      }
      check(entry.name, () => [...path(), "name"]);
      check(entry.renamedFrom, () => [...path(), "renamedFrom"]);
    }
  }
  return findings;
}

function isBare(document: Document, path: readonly PathPart[], atKey: boolean): boolean {
  let node: unknown = document.contents;
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === part);
      node = atKey && index === path.length - 1 ? pair?.key : pair?.value;
    } else if (isSeq(node)) node = node.items[Number(part)];
  }
  if (isAlias(node)) node = node.resolve(document);
  return isScalar(node) && node.type === Scalar.PLAIN;
}
