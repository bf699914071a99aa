import { readFile } from "node:fs/promises";
import { exitCodes } from "../core/errors.ts";
import { environmentNames } from "../core/tasks/model.ts";
import { approvedBy } from "./github/approved-by.ts";
import { jobContext } from "./github/context.ts";
import { trackDrift } from "./github/drift-issue.ts";
import { assertGated, commentPlan, reviewFreshPlan, scopeOfPull } from "./github/plan-on-pull.ts";
import { assertJudged } from "./github/proposal.ts";
import { type Command, runCommand, usageError } from "./roundtrip/command.ts";

const actions = ["scope", "proposal", "comment", "fresh-plan", "gate", "approved-by", "drift-issue"];

/** What a workflow's step says to GitHub; everything else is `roundtrip`'s. */
const githubCommand: Command = {
  name: "github",
  summary:
    "What workflows tell GitHub: the plan's comment, the drift issue; and ask it: gates and approvals.",
  usage: "bun scripts/github.ts <action> [--env ENV] [--plan FILE] [--text FILE] [--exit-code N]",
  options: {
    env: { type: "string" },
    plan: { type: "string" },
    text: { type: "string" },
    "exit-code": { type: "string" },
  },
  optionHelp: [
    ["scope", "whether a pull request is planned with credentials (PULL_NUMBER, HEAD_COMMIT)"],
    ["proposal", "refuse when what was fetched is not the commit that was judged (HEAD_COMMIT)"],
    [
      "comment --plan FILE [--env ENV]",
      "the plan in its section of the pull request's comment; without --env: offline",
    ],
    [
      "fresh-plan --plan FILE --env ENV",
      "after the merge: show the plan, check gate and approvals, output its digest",
    ],
    ["gate --env NAME", "refuse where the environment asks for nobody's approval"],
    ["approved-by --env NAME", "who let this run pass that gate, as ROUNDTRIP_APPROVED_BY for the journal"],
    [
      "drift-issue --env ENV --text FILE --exit-code N",
      "keep the environment's issue in step with roundtrip drift",
    ],
  ],
  examples: ["bun scripts/github.ts comment --env dev --plan plan.json"],
  run: async (values, [action = "", ...rest]) => {
    if (!actions.includes(action) || rest.length > 0)
      throw usageError(
        "choose an action",
        [action, ...rest].join(" ") || "none",
        `one of: ${actions.join(", ")}`,
      );
    const job = jobContext(process.env);
    const option = (name: string) => {
      const value = values[name];
      if (typeof value === "string" && value !== "") return value;
      throw usageError(`run ${action}`, `no --${name}`, `add --${name}`);
    };
    const environment = () => {
      const name = option("env");
      if ((environmentNames as readonly string[]).includes(name)) return name;
      throw usageError("take --env", name, environmentNames.join(", "));
    };
    if (action === "scope") await scopeOfPull(job);
    if (action === "proposal") await assertJudged(job);
    if (action === "comment")
      await commentPlan(job, values.env === undefined ? "offline" : environment(), option("plan"));
    if (action === "fresh-plan") await reviewFreshPlan(job, environment(), option("plan"));
    if (action === "gate") await assertGated(job, option("env"));
    if (action === "approved-by") await approvedBy(job, option("env"));
    if (action === "drift-issue") {
      const text = await readFile(option("text"), "utf8");
      await trackDrift(job, { environment: environment(), text, exitCode: option("exit-code") });
    }
    return exitCodes.ok;
  },
};

process.exit(await runCommand(githubCommand, process.argv.slice(2)));
