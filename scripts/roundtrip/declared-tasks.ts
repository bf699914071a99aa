import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { readApplied } from "../../adapters/live/applied.ts";
import { RoundtripError } from "../../core/errors.ts";
import { parseTasks, type Tasks } from "../../core/tasks/tasks.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";

const usualFile = "tasks.yaml";

/**
 * The tasks a runbook is about: of the file that is named, else of tasks.yaml, else as they were last applied, with that
 * commit: on a machine that has the program and nothing of the repository (docs/break-glass.md). Fails `configuration` when
 * there are none, and for a file that can't be read.
 */
export async function declaredTasks(
  { store, environment, say }: Pick<RunbookDependencies, "store" | "environment" | "say">,
  named: string | undefined,
): Promise<{ readonly tasks: Tasks; readonly commit?: string }> {
  const file = named ?? (existsSync(usualFile) ? usualFile : undefined);
  if (file !== undefined) return { tasks: parseTasks(await text(file), file) };
  const applied = await readApplied(store, environment.environment);
  if (!applied) throw nothing(`nothing was ever applied to ${environment.environment}`);
  const { commit, appliedAt } = applied.document;
  say(`no ${usualFile} here: as it was last applied, ${appliedAt}, commit ${commit}`);
  return { tasks: applied.tasks, commit };
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw nothing((cause as NodeJS.ErrnoException).code ?? "it can't be read", file, cause);
  }
}

function nothing(got: string, file = usualFile, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "configuration",
      what: "read what is replicated",
      expected: `${file}, or what was last applied`,
      got,
      wayOut: "name the file with --tasks",
    },
    { cause },
  );
}
