import { execFileSync } from "node:child_process";
import { RoundtripError } from "../../core/errors.ts";
import { type JobContext, needed } from "./context.ts";

const proposal = "refs/roundtrip/proposal";

/**
 * Fails `refused` unless the proposal is the commit that was judged (HEAD_COMMIT), or GitHub's merge of just that one. The
 * ref of a pull request moves with every push, also between the judgement and a job that has credentials.
 */
export async function assertJudged({ variables }: Pick<JobContext, "variables">): Promise<void> {
  const judged = needed(variables, "HEAD_COMMIT");
  const [commit = "", ...parents] = git("rev-list", "--parents", "-n", "1", proposal).split(" ");
  if (commit === judged || (parents.length === 2 && parents[1] === judged)) {
    process.stdout.write(`${commit} is what was judged: ${judged}\n`);
    return;
  }
  throw new RoundtripError({
    kind: "refused",
    what: "plan the pull request with credentials",
    expected: `commit ${judged}, or its merge with the base branch`,
    got: `${commit}${parents.length > 1 ? `, a merge of ${parents.join(" and ")}` : ""}`,
    wayOut: "a newer commit was pushed meanwhile: its own run plans it",
  });
}

function git(...args: string[]): string {
  return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}
