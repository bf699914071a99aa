import { exitCodes } from "../../core/errors.ts";
import type { RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { findBackup, pruneBackups, surveyBackups } from "./backups-survey.ts";
import { describeText, listText, pruneText } from "./backups-text.ts";
import { type Command, usageError } from "./command.ts";
import { dependenciesFor } from "./dependencies.ts";

const dayMs = 86_400_000;

export const backupsCommand: Command = {
  name: "roundtrip backups",
  summary: "Shows the backups of MongoDB, what is in one, and deletes old ones.",
  usage: "roundtrip backups list|describe <id>|prune --older-than DAYS --env <environment> [--yes] [--json]",
  options: {
    env: { type: "string" },
    "older-than": { type: "string" },
    yes: { type: "boolean" },
    json: { type: "boolean" },
  },
  optionHelp: [
    ["list", "every backup, the newest first, with the schedule and the last run"],
    ["describe <id>", "what is in it: collections, the point it stands at, its verification"],
    ["prune", "what --older-than would delete; with --yes it does"],
    ["--env NAME", "the environment, as Terraform published it"],
    ["--older-than DAYS", "of prune: days since a backup began, 1 or more"],
    ["--yes", "of prune: delete. The newest proved backup and the newest of all always stay"],
    ["--json", "one JSON document on stdout"],
  ],
  examples: [
    "roundtrip backups list --env prod",
    "roundtrip backups list --env prod --json | jq -r '.backups[0].manifest.id'",
    "roundtrip backups describe 2026-11-21T00-00-00Z --env prod",
    "roundtrip backups prune --older-than 14 --env dev",
    "roundtrip backups prune --older-than 14 --env dev --yes",
  ],
  run: async (values, positionals) => {
    const [verb = "", id = "", ...more] = positionals;
    if (!["list", "describe", "prune"].includes(verb))
      throw usageError("choose what to do with backups", verb || "nothing", "one of: list, describe, prune");
    if (more.length > 0 || (id !== "") !== (verb === "describe"))
      throw usageError(`run ${verb}`, positionals.join(" "), "describe takes one id, the others none");
    if (typeof values.env !== "string")
      throw usageError("choose the environment", "no --env", "add --env <name>");
    if (verb !== "prune" && (values["older-than"] !== undefined || values.yes))
      throw usageError(`run ${verb}`, "--older-than or --yes", "they are for prune");
    const before = verb === "prune" ? daysAgo(values["older-than"]) : new Date();
    const deps = await dependenciesFor(values.env, () => {});
    const [report, text] = await answer(deps, { verb, id, before, act: values.yes === true });
    process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : text);
    return exitCodes.ok;
  },
};

async function answer(
  deps: RunbookDependencies,
  { verb, id, before, act }: { verb: string; id: string; before: Date; act: boolean },
): Promise<readonly [object, string]> {
  if (verb === "list") {
    const report = await surveyBackups(deps);
    return [report, listText(report)];
  }
  if (verb === "describe") {
    const found = await findBackup(deps, id);
    return [found, describeText(found)];
  }
  const report = await pruneBackups(deps, before, act);
  return [report, pruneText(report)];
}

function daysAgo(days: unknown): Date {
  if (typeof days === "string" && /^[1-9]\d{0,3}$/.test(days))
    return new Date(Date.now() - Number(days) * dayMs);
  throw usageError("take --older-than", String(days ?? "nothing"), "a number of days, 1 to 9999");
}
