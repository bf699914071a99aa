/** Which pull requests get credentials, and who lets data be dropped. Pure rules over what GitHub tells. */
import type { PullRequest } from "../../adapters/github/review.ts";

/** Whoever may label has at least the triage role; set in docs/set-up.md. */
export const destructiveLabel = "allow-destructive";

/** What may change and still be planned with credentials at once: data for the programs, never a program. */
const harmless = [/^tasks\.yaml$/, /^docs\/[^/].*\.(md|png|svg)$/, /^changelog\/[^/]+\.md$/, /^[A-Z]+\.md$/];

export interface Trust {
  /** True: the plan may look at the environments, with the plan role. */
  readonly live: boolean;
  readonly reason: string;
}

/**
 * A fork never gets credentials. A change of code, workflows or Terraform gets them once a code owner has approved the
 * very commit that is planned; a push takes that back.
 */
export function trustIn(pull: PullRequest, codeOwners: readonly string[]): Trust {
  if (pull.isFork)
    return {
      live: false,
      reason: "it comes from a fork: planned from the two files alone, without credentials",
    };
  const code = pull.paths.filter((path) => !harmless.some((pattern) => pattern.test(path)));
  if (code.length === 0) return { live: true, reason: "it changes tasks.yaml and pages alone" };
  const approver = approverOf(pull, codeOwners);
  if (approver) return { live: true, reason: `it changes ${code[0]} and was approved by ${approver}` };
  const more = code.length > 1 ? ` and ${code.length - 1} more` : "";
  return {
    live: false,
    reason: `it changes ${code[0]}${more}: planned with credentials once a code owner has approved this commit`,
  };
}

/** Why data may be dropped: undefined where nobody said so. */
export function permissionToDestroy(pull: PullRequest, codeOwners: readonly string[]): string | undefined {
  if (pull.labels.includes(destructiveLabel)) return `#${pull.number} carries the label ${destructiveLabel}`;
  const approver = approverOf(pull, codeOwners);
  return approver ? `${approver} approved #${pull.number}` : undefined;
}

function approverOf({ approvals, author }: PullRequest, codeOwners: readonly string[]): string | undefined {
  const owners = new Set(codeOwners.map((login) => login.toLowerCase()));
  return approvals.find((login) => login !== author && owners.has(login.toLowerCase()));
}

/**
 * People who own `path` by a CODEOWNERS file: the last line that matches counts. Teams are left out: a workflow's token
 * can't see who is in one.
 */
export function codeOwnersOf(text: string, path: string): string[] {
  const rules = text
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/));
  const [, ...owners] = rules.findLast(([pattern = ""]) => matches(pattern, path)) ?? [];
  return owners.filter((owner) => /^@[^/]+$/.test(owner)).map((owner) => owner.slice(1));
}

/** `*`, a file, or a folder that ends in `/`: what this repository's file uses. Other patterns match nothing. */
function matches(pattern: string, path: string): boolean {
  if (pattern === "*") return true;
  const bare = pattern.replace(/^\//, "");
  return bare.endsWith("/") ? path.startsWith(bare) : bare === path;
}
