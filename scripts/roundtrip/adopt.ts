import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { type Adoption, adopt } from "../../core/adopt/adopt.ts";
import { checkAdoptionPlan, type PlanCheck } from "../../core/adopt/check.ts";
import { exitCodes, RoundtripError } from "../../core/errors.ts";
import { counted } from "../../core/plan/words.ts";
import { environmentNames } from "../../core/tasks/model.ts";
import { recordAdopted } from "./adopt-record.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";
import { headRevision } from "./head.ts";
import { environmentNameOf } from "./named-environment.ts";
import { readTextFile, sourceNames } from "./text-files.ts";

type Values = Readonly<Record<string, unknown>>;

export const adoptCommand: Command = {
  name: "roundtrip adopt",
  summary:
    "Takes over an old set-up: writes the root that goes on with its DMS tasks. Changes nothing itself.",
  usage:
    "roundtrip adopt --state FILE --tasks FILE --env ENV --out DIR [--same-state] [--names FILE]\n       roundtrip adopt --check PLAN\n       roundtrip adopt --record --env ENV [--head REF] [--accept TASK]",
  options: {
    state: { type: "string" },
    tasks: { type: "string" },
    env: { type: "string" },
    out: { type: "string" },
    names: { type: "string" },
    modules: { type: "string", default: "terraform/modules" },
    "same-state": { type: "boolean" },
    "accept-losses": { type: "boolean" },
    check: { type: "string" },
    accept: { type: "string", multiple: true },
    record: { type: "boolean" },
    head: { type: "string", default: "HEAD" },
    file: { type: "string", default: "tasks.yaml" },
    json: { type: "boolean" },
  },
  optionHelp: [
    ["--state FILE", "terraform show -json of the old root"],
    ["--tasks FILE", "the old dmsReplicationTasks.json"],
    ["--env ENV", environmentNames.join(", ")],
    ["--out DIR", "the new root; it must not exist, or be empty"],
    ["--same-state", "the new root goes on with the old root's state: moved blocks where they do"],
    ["--names FILE", "the source's collections, one database.collection a line, for rules with wildcards"],
    ["--accept-losses", "write although something can't be carried over, or not without a load"],
    ["--modules DIR", "roundtrip's Terraform modules; terraform/modules"],
    ["--check PLAN", "terraform show -json of the new root's first plan: may it be applied?"],
    ["--accept ADDRESS", "--check: let one change pass; may be given several times"],
    ["--record", "write down that a commit's tasks.yaml is what stands in DMS: the base of the first plan"],
    ["--head REF", "--record: the commit; HEAD"],
    ["--file PATH", "--record: where the tasks file is in it; tasks.yaml"],
    ["--accept TASK", "--record: take this task as it is, its rules or settings differing from tasks.yaml"],
    ["--json", "what was found, as one document"],
  ],
  examples: [
    "terraform show -json > state.json        # in the old root",
    "roundtrip adopt --state state.json --tasks dmsReplicationTasks.json --env dev --out adopted",
    "roundtrip adopt --check plan.json",
    "roundtrip adopt --record --env dev",
  ],
  exitCodes: [
    [
      "0",
      "written, recorded; with --check: the plan only imports, moves, lets go, or changes what reaches no task",
    ],
    ["2", "the command line is wrong, or a file can't be read or written"],
    [
      "3",
      "not written: losses without --accept-losses, or a set-up the modules can't say; --check: the plan must not be applied; --record: DMS stands otherwise",
    ],
    ["6", "the state, the tasks file or the plan is not what it should be"],
  ],
  run: async (values, positionals) => {
    if (positionals.length > 0) throw usageError("take options only", positionals.join(" "), "see --help");
    if (values.check !== undefined) return await check(values);
    return values.record ? await record(values) : await write(values);
  },
};

async function write(values: Values): Promise<number> {
  const [state, tasks, out] = (["state", "tasks", "out"] as const).map((name) => required(values, name));
  const environment = environmentNameOf(values.env);
  const modules = await modulesFrom(out!, String(values.modules));
  await mustBeEmpty(out!);
  const adoption = adopt({
    state: await readTextFile(state!),
    tasks: await readTextFile(tasks!),
    tasksFile: tasks!,
    environment,
    modules,
    sameState: values["same-state"] === true,
    ...(typeof values.names === "string"
      ? { names: sourceNames(await readTextFile(values.names), values.names) }
      : {}),
  });
  const isWritten = adoption.losses.length === 0 || values["accept-losses"] === true;
  if (isWritten) await writeAll(out!, adoption);
  const { files, ...found } = adoption;
  if (values.json)
    process.stdout.write(`${JSON.stringify({ written: isWritten ? Object.keys(files) : [], ...found })}\n`);
  else process.stdout.write(isWritten ? summary(out!, adoption) : "");
  for (const note of adoption.notes) process.stderr.write(`note: ${note}\n`);
  for (const loss of adoption.losses) process.stderr.write(`NOT CARRIED OVER: ${loss}\n`);
  if (isWritten) return exitCodes.ok;
  throw new RoundtripError({
    kind: "refused",
    what: `write ${out}`,
    expected: "everything to be carried over",
    got: `${counted(adoption.losses.length, "thing")} that can't be, named above; nothing was written`,
    wayOut: "mend it in the old root, or take it as it is with --accept-losses",
  });
}

function summary(out: string, { files, taken, stays }: Adoption): string {
  return [
    `${counted(taken.length, "object")} taken over, ${stays.length} stay in the old root; written to ${out}:`,
    ...Object.keys(files).map((name) => `  ${name}`),
    `next: ${join(out, "README.md")}`,
    "",
  ].join("\n");
}

async function check(values: Values): Promise<number> {
  const file = String(values.check);
  const found = checkAdoptionPlan(
    await readTextFile(file),
    (values.accept as readonly string[] | undefined) ?? [],
  );
  process.stdout.write(
    values.json ? `${JSON.stringify({ ok: found.problems.length === 0, ...found })}\n` : checkText(found),
  );
  return found.problems.length === 0 ? exitCodes.ok : exitCodes.refused;
}

async function record(values: Values): Promise<number> {
  const environment = environmentNameOf(values.env);
  const head = await headRevision(String(values.head), String(values.file));
  const accepted = (values.accept as readonly string[] | undefined) ?? [];
  const deps = await dependenciesFor(environment, () => {});
  const applied = await recordAdopted(deps, { environment, head, accepted });
  const kept = Object.entries(applied.adopted ?? {});
  const lines = [
    `recorded: commit ${applied.commit} stands in ${environment}; the next plan starts from it`,
    ...kept.map(([id, difference]) => `  ${id} stays as it is until it is changed: ${difference}`),
  ];
  process.stdout.write(values.json ? `${JSON.stringify(applied)}\n` : `${lines.join("\n")}\n`);
  return exitCodes.ok;
}

function checkText({ imported, moved, forgotten, harmless, problems }: PlanCheck): string {
  const verdict =
    problems.length === 0
      ? "may be applied"
      : `MUST NOT BE APPLIED: ${counted(problems.length, "change")} in the way`;
  return [
    `The plan ${verdict} (${imported} imported, ${moved} moved, ${forgotten} let go of, ${harmless.length} changed without reaching a task)`,
    ...problems.map((problem) => `  ✗ ${problem}`),
    ...harmless.map((each) => `  harmless: ${each}`),
    "",
  ].join("\n");
}

function required(values: Values, name: string): string {
  const value = values[name];
  if (typeof value === "string" && value !== "") return value;
  throw usageError(
    "adopt a set-up",
    `no --${name}`,
    "roundtrip adopt --state FILE --tasks FILE --env ENV --out DIR",
  );
}

/** The modules' folder as the new root names it: relative, so that both can be moved together. */
async function modulesFrom(out: string, modules: string): Promise<string> {
  const found = await readdir(join(modules, "dms")).catch(() => undefined);
  if (!found)
    throw usageError(
      "find roundtrip's modules",
      `no ${join(modules, "dms")}`,
      "run this from the repository's root, or give --modules",
    );
  const path = relative(resolve(out), resolve(modules)).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}

async function mustBeEmpty(out: string): Promise<void> {
  const found = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw usageError(
      `write to ${out}`,
      error.code ?? String(error),
      "name a folder that doesn't exist yet, or is empty",
    );
  });
  if (found.length > 0)
    throw usageError(
      `write to ${out}`,
      `a folder with ${counted(found.length, "file")}`,
      "name a folder that doesn't exist yet, or is empty",
    );
}

async function writeAll(out: string, { files }: Adoption): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(out, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text, { flag: "wx" });
  }
}
