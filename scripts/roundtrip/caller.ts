import { execFileSync } from "node:child_process";
import { userInfo } from "node:os";
import type { Caller } from "../../runbooks/engine/runbook.ts";

/** Who runs this, for the journal: GitHub's variables in Actions, the login on a laptop. */
export function callerOf(environment: Readonly<Record<string, string | undefined>>): Caller {
  const { GITHUB_ACTOR, GITHUB_SHA, GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID } = environment;
  const approvedBy = environment.ROUNDTRIP_APPROVED_BY;
  return {
    actor: GITHUB_ACTOR ?? userInfo().username,
    commit: GITHUB_SHA ?? headCommit(),
    ...(approvedBy ? { approvedBy } : {}),
    ...(GITHUB_RUN_ID
      ? { url: `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}` }
      : {}),
  };
}

function headCommit(): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "not a git checkout";
  }
}
