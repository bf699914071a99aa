import type { Document } from "yaml";
import { readDocument } from "./document.ts";
import type { Tasks, TasksFile } from "./model.ts";
import { type Finding, inOrder, Lines, offsetOf, type Problem, pathText } from "./problem.ts";
import { findingsOf } from "./rules/rules.ts";
import { salvage } from "./salvage.ts";
import { readBySchema } from "./schema-findings.ts";
import { unquotedNames } from "./unquoted.ts";

export interface TasksReading {
  /** There only when nothing is wrong. */
  readonly tasks?: Tasks;
  /** Everything that is wrong, by place. */
  readonly problems: readonly Problem[];
}

/**
 * Reads `tasks.yaml`: text, schema, cross-field rules, and names everything that is wrong at once. Only text that isn't
 * YAML at all ends it early. Never throws for what the text holds.
 */
export function readTasks(text: string, file = "tasks.yaml"): TasksReading {
  const { document, value, faults } = readDocument(text);
  const lines = new Lines(text);
  const problems = faults.map(
    ({ offset, ...fault }): Problem => ({ file, ...lines.at(offset), path: ".", ...fault }),
  );
  if (!document || value === undefined) return { problems: inOrder(problems) };
  const bySchema = readBySchema(value.plain);
  const refused = new Set(bySchema.findings.map(({ path }) => pathText(path)));
  const byRules = findingsOf(bySchema.file ?? salvage(value.plain, bySchema.findings)).filter(
    ({ path }) => !refused.has(pathText(path)),
  );
  const unquoted = bySchema.file ? unquotedNames(bySchema.file, document) : [];
  problems.push(...located([...bySchema.findings, ...byRules, ...unquoted], document, lines, file));
  return problems.length > 0 || !bySchema.file
    ? { problems: inOrder(problems) }
    : { tasks: normalised(bySchema.file), problems };
}

function located(findings: readonly Finding[], document: Document, lines: Lines, file: string): Problem[] {
  return findings.map(({ code, path, message, fix, atKey }) => ({
    file,
    ...lines.at(offsetOf(document, path, atKey)),
    path: pathText(path),
    code,
    message,
    fix,
  }));
}

function normalised(file: TasksFile): Tasks {
  return {
    ...file,
    tasks: file.tasks.map((task) => ({
      ...task,
      collections: task.collections.map((entry) => (typeof entry === "string" ? { name: entry } : entry)),
    })),
  };
}
