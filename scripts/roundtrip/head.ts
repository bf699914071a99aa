import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { RoundtripError } from "../../core/errors.ts";
import { listed } from "../../core/plan/words.ts";
import type { HeadRevision } from "../../runbooks/apply/proposal.ts";
import { usageError } from "./command.ts";
import { readCommit } from "./revision.ts";

const git = promisify(execFile);
const gitTimeoutMs = 30_000;

/**
 * The tasks file of a commit. A file of the working tree won't do: what is applied must be found again in git. Fails
 * `usage` for a name that is no commit, or a commit without that file.
 */
export async function headRevision(name: string, path: string): Promise<HeadRevision> {
  const { revision, text } = await readCommit("--head", name, path);
  const { commit, tree } = revision;
  if (text === undefined || commit === undefined || tree === undefined)
    throw usageError(`read ${path} at ${name}`, "no such file there", "name its place with --file");
  return { tasksText: text, commit, tree };
}

/** Whether a commit is an ancestor of another (or the same one); `undefined` when this clone doesn't hold both. */
export async function isAncestor(commit: string, of: string): Promise<boolean | undefined> {
  try {
    await git("git", ["merge-base", "--is-ancestor", commit, of], { timeout: gitTimeoutMs });
    return true;
  } catch (error) {
    return (error as { code?: unknown }).code === 1 ? false : undefined;
  }
}

/**
 * Terraform reads the files that lie here, so they must be those of the commit that is applied. Fails `refused` where
 * another commit is checked out, or a tracked file was changed.
 */
export async function assertCheckedOut({ commit, tree }: HeadRevision): Promise<void> {
  const [here, changed] = await Promise.all([
    outputOf("rev-parse", "HEAD^{tree}"),
    outputOf("status", "--porcelain", "--untracked-files=no"),
  ]);
  if (here === tree && changed === "") return;
  throw new RoundtripError({
    kind: "refused",
    what: `apply commit ${commit}`,
    expected: "its files checked out here, unchanged, because Terraform reads them",
    got:
      here === tree
        ? `changed: ${listed(changed.split("\n").map((line) => line.slice(2).trim()))}`
        : "another commit",
    wayOut: `git checkout ${commit}, with nothing changed, and run this again`,
  });
}

async function outputOf(...args: string[]): Promise<string> {
  const { stdout } = await git("git", args, { timeout: gitTimeoutMs });
  return stdout.trim();
}
