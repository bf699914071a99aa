import { exitCodes } from "../../core/errors.ts";
import { makePlan } from "../../core/plan/plan.ts";
import { renderMarkdown } from "../../core/plan/render-markdown.ts";
import { renderTerminal } from "../../core/plan/render-terminal.ts";
import { type Command, usageError } from "./command.ts";
import { readRevision } from "./revision.ts";

export const planCommand: Command = {
  name: "roundtrip plan",
  summary: "Says what a change of tasks.yaml will do: to DMS's tasks, and to the data on DocumentDB.",
  usage: "roundtrip plan --base FILE|REF [--head FILE|REF] [--json|--markdown]",
  options: {
    base: { type: "string" },
    head: { type: "string", default: "tasks.yaml" },
    file: { type: "string", default: "tasks.yaml" },
    json: { type: "boolean" },
    markdown: { type: "boolean" },
  },
  optionHelp: [
    ["--base FILE|REF", "what is applied now: a tasks file, or a commit, branch or tag"],
    ["--head FILE|REF", "what is to be applied; tasks.yaml as it lies here"],
    ["--file PATH", "where the tasks file is at a reference; tasks.yaml"],
    ["--json", "one document by schemas/plan.schema.json"],
    ["--markdown", "a comment for a pull request, within GitHub's limit"],
  ],
  examples: [
    "roundtrip plan --base origin/main",
    "roundtrip plan --base v1.2.0 --head HEAD --markdown",
    "roundtrip plan --base old.yaml --head new.yaml --json | jq '.tasks[] | select(.destructive)'",
  ],
  run: async (values, positionals) => {
    if (positionals.length > 0)
      throw usageError("take options only", positionals.join(" "), "roundtrip plan --base FILE|REF");
    if (typeof values.base !== "string")
      throw usageError(
        "compare with a base",
        "no --base",
        "add --base <file or reference>, like --base origin/main",
      );
    if (values.json && values.markdown)
      throw usageError("choose one form", "--json and --markdown", "give one of them");
    const path = String(values.file);
    const base = await readRevision("--base", values.base, path);
    const head = await readRevision("--head", String(values.head), path);
    if (!head.tasks)
      throw usageError(
        `read ${path} at ${String(values.head)}`,
        "no such file there",
        "name its place with --file",
      );
    if (!base.tasks) process.stderr.write(`${values.base} has no ${path}: everything is planned as new\n`);
    const plan = makePlan({
      base: base.tasks,
      head: head.tasks,
      baseRevision: base.revision,
      headRevision: head.revision,
    });
    const text = values.json
      ? `${JSON.stringify(plan)}\n`
      : values.markdown
        ? renderMarkdown(plan)
        : renderTerminal(plan);
    process.stdout.write(text);
    return exitCodes.ok;
  },
};
