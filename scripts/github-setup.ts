import { readFile } from "node:fs/promises";
import { exitCodes, RoundtripError } from "../core/errors.ts";
import { jobContext } from "./github/context.ts";
import type { Change, SetUp } from "./github/setup/change.ts";
import { environmentChanges } from "./github/setup/environments.ts";
import { repositoryChanges } from "./github/setup/repository.ts";
import { parseSettings } from "./github/setup/settings.ts";
import { type Command, runCommand, usageError } from "./roundtrip/command.ts";

const fileDefault = ".github/repository.yaml";

const setupCommand: Command = {
  name: "github-setup",
  summary:
    "Makes environments, reviewers, variables, labels and branch rules as one file has them; shows them first.",
  usage: "bun scripts/github-setup.ts [--file FILE] [--apply]",
  options: { file: { type: "string", default: fileDefault }, apply: { type: "boolean" } },
  optionHelp: [
    ["--file FILE", fileDefault],
    ["--apply", "make the changes; without it they are only shown"],
  ],
  examples: [
    "GITHUB_REPOSITORY=acme/data GITHUB_TOKEN=… bun scripts/github-setup.ts",
    "GITHUB_REPOSITORY=acme/data GITHUB_TOKEN=… bun scripts/github-setup.ts --apply",
  ],
  run: async (values, positionals) => {
    if (positionals.length > 0)
      throw usageError("take options only", positionals.join(" "), "bun scripts/github-setup.ts --apply");
    const file = String(values.file);
    const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
      throw usageError(`read ${file}`, cause.code ?? "it can't be read", "name the file with --file");
    });
    const settings = parseSettings(text, file);
    const { github, repository } = jobContext(process.env);
    const setUp: SetUp = { github, repository, settings };
    const changes = await changesOf(setUp);
    const name = `${repository.owner}/${repository.repo}`;
    for (const change of changes) process.stdout.write(`${lineOf(change)}\n`);
    if (changes.length === 0) process.stdout.write(`${name} is as ${file} has it: nothing to change\n`);
    else if (!values.apply)
      process.stdout.write(`${changes.length} change(s) to ${name}, none made: --apply makes them\n`);
    if (!values.apply || changes.length === 0) return exitCodes.ok;
    for (const { make } of changes) await make();
    await assertDone(setUp, file);
    process.stdout.write(`${changes.length} change(s) made to ${name}\n`);
    return exitCodes.ok;
  },
};

async function changesOf(setUp: SetUp): Promise<Change[]> {
  return [...(await repositoryChanges(setUp)), ...(await environmentChanges(setUp))];
}

function lineOf({ what, before, after }: Change): string {
  return `${what}\n    now   ${before}\n    then  ${after}`;
}

/** GitHub drops without a word what it doesn't take, like a reviewer who can't read the repository. */
async function assertDone(setUp: SetUp, file: string): Promise<void> {
  const left = await changesOf(setUp);
  if (left.length === 0) return;
  throw new RoundtripError({
    kind: "denied",
    what: `set up ${setUp.repository.owner}/${setUp.repository.repo} as ${file} has it`,
    expected: "nothing left to change",
    got: left.map(({ what, before }) => `${what}: ${before}`).join("; "),
    wayOut: "see that each reviewer may read the repository, and that its plan has required reviewers",
  });
}

process.exit(await runCommand(setupCommand, process.argv.slice(2)));
