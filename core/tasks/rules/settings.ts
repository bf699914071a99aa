import { effectiveTask } from "../effective.ts";
import { environmentNames, type Task, type TaskSettings, type Tasks, type TasksFile } from "../model.ts";
import { quoted } from "../names.ts";
import type { Finding, PathPart } from "../problem.ts";

export function settingsFit(file: TasksFile, report: (finding: Finding) => void): void {
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
export function nothingDroppedInProd(file: TasksFile, report: (finding: Finding) => void): void {
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
