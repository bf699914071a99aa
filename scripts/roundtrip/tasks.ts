import { randomBytes } from "node:crypto";
import { rename, writeFile } from "node:fs/promises";
import { exitCodes } from "../../core/errors.ts";
import { addCollections, addTask, removeCollection } from "../../core/tasks/edit.ts";
import { effectiveTask } from "../../core/tasks/effective.ts";
import { importTasks } from "../../core/tasks/import.ts";
import { tableMappings } from "../../core/tasks/mappings.ts";
import { type EnvironmentName, environmentNames } from "../../core/tasks/model.ts";
import { dmsTaskSettings } from "../../core/tasks/task-settings.ts";
import { parseTasks } from "../../core/tasks/tasks.ts";
import { type Command, usageError } from "./command.ts";
import { readTextFile, sourceNames } from "./text-files.ts";

type Values = Readonly<Record<string, unknown>>;

const actions: Readonly<Record<string, (args: readonly string[], values: Values) => Promise<number>>> = {
  import: importFile,
  show,
  "add-collection": ([task, ...names], values) =>
    edit(values, [task, ...names], 2, (text) =>
      addCollections(
        text,
        task!,
        names.map((name) => ({ name })),
      ),
    ),
  "remove-collection": ([task, name, ...rest], values) =>
    edit(values, [task, name, ...rest], 2, (text) => removeCollection(text, task!, name!), 2),
  "add-database": ([database, ...names], values) =>
    edit(values, [database, ...names], 2, (text) =>
      addTask(text, {
        id: typeof values.id === "string" ? values.id : idFor(database!),
        database: database!,
        collections: names.map((name) => ({ name })),
      }),
    ),
};

export const tasksCommand: Command = {
  name: "roundtrip tasks",
  summary: "Edits tasks.yaml keeping comments and order, imports the old format, shows what DMS gets.",
  usage: "roundtrip tasks <action> …",
  options: {
    file: { type: "string", default: "tasks.yaml" },
    id: { type: "string" },
    env: { type: "string" },
    names: { type: "string" },
    out: { type: "string" },
    "accept-losses": { type: "boolean" },
  },
  optionHelp: [
    [
      "import FILE",
      "dmsReplicationTasks.json as tasks.yaml on stdout; what can't be carried over is named, exit 3",
    ],
    ["add-collection TASK NAME…", "adds collections to a task"],
    ["remove-collection TASK NAME", "takes a collection out of a task"],
    ["add-database DATABASE NAME…", "adds a task for a database; its id from the name, or --id"],
    ["show [TASK] --env ENV", "mappings and settings as DMS gets them, JSON"],
    ["--file FILE", "the tasks file to edit or show; tasks.yaml"],
    [
      "--names FILE",
      "import: the source's collections, one database.collection a line, for rules with wildcards",
    ],
    ["--out FILE", "import: a file to write; it must not exist"],
    ["--accept-losses", "import: exit 0 although something could not be carried over"],
  ],
  examples: [
    "roundtrip tasks import dmsReplicationTasks.json --names collections.txt --out tasks.yaml",
    "roundtrip tasks add-collection shop-orders refunds",
    "roundtrip tasks add-database warehouse stock movements",
  ],
  run: async (values, [action = "", ...args]) => {
    const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
    const known = Object.keys(actions).join(", ");
    if (!run) throw usageError("choose an action", action || "none", `one of: ${known}`);
    return await run(args, values);
  },
};

async function importFile(args: readonly string[], values: Values): Promise<number> {
  if (args.length !== 1)
    throw usageError("import one file", args.join(" ") || "none", "roundtrip tasks import FILE");
  const names =
    typeof values.names === "string"
      ? sourceNames(await readTextFile(values.names), values.names)
      : undefined;
  const { text, notes, losses } = importTasks(await readTextFile(args[0]!), args[0]!, names);
  if (typeof values.out === "string") await writeNew(values.out, text);
  else process.stdout.write(text);
  for (const note of notes) process.stderr.write(`note: ${note}\n`);
  for (const loss of losses) process.stderr.write(`NOT CARRIED OVER: ${loss}\n`);
  process.stderr.write(`${notes.length} notes, ${losses.length} not carried over\n`);
  return losses.length === 0 || values["accept-losses"] ? exitCodes.ok : exitCodes.refused;
}

async function show(args: readonly string[], values: Values): Promise<number> {
  const environment = environmentNames.find((name) => name === values.env) as EnvironmentName | undefined;
  if (!environment)
    throw usageError(
      "choose the environment",
      String(values.env ?? "none"),
      `--env ${environmentNames.join("|")}`,
    );
  const tasks = parseTasks(await readTextFile(String(values.file)), String(values.file));
  const chosen = tasks.tasks.filter(({ id }) => args.length === 0 || args.includes(id));
  const unknown = args.filter((id) => !tasks.tasks.some((task) => task.id === id));
  if (unknown.length > 0) throw usageError("show tasks", unknown.join(", "), "ids of the tasks file");
  const shown = chosen.map((task) => {
    const { endpoint, owners, running, settings } = effectiveTask(tasks, task, environment);
    return {
      id: task.id,
      database: task.database,
      targetEndpoint: endpoint,
      owners,
      running,
      tableMappings: tableMappings(task, settings.partitions),
      settings: dmsTaskSettings(settings),
    };
  });
  process.stdout.write(`${JSON.stringify({ environment, tasks: shown }, null, 2)}\n`);
  return exitCodes.ok;
}

async function edit(
  values: Values,
  args: readonly (string | undefined)[],
  least: number,
  change: (text: string) => string,
  most = Number.POSITIVE_INFINITY,
): Promise<number> {
  const given = args.filter((arg) => arg !== undefined);
  if (given.length < least || given.length > most)
    throw usageError(
      "edit the tasks file",
      given.join(" ") || "no names",
      "see --help for what the action takes",
    );
  const file = String(values.file);
  const edited = change(await readTextFile(file));
  // Renamed into place: a reader sees the old file or the new one.
  const beside = `${file}.${randomBytes(4).toString("hex")}.new`;
  await writeFile(beside, edited, { flag: "wx" });
  await rename(beside, file);
  process.stderr.write(`${file} changed; roundtrip plan --base HEAD shows what it will do\n`);
  return exitCodes.ok;
}

function idFor(database: string): string {
  return database
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-$/g, "");
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw usageError(`write ${file}`, got, "name a file that doesn't exist yet, in a folder that does");
  }
}
