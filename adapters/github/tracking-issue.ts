import { RoundtripError } from "../../core/errors.ts";
import { type GitHub, type Repository, statusOf } from "./client.ts";
import { bears, bodyLengthMax, clipped } from "./sections.ts";

export interface TrackedIssue extends Repository {
  readonly author: string;
  readonly title: string;
  /** Its first line is the marker that finds the issue again. */
  readonly body: string;
  readonly labels: readonly string[];
  /** False closes it. Never false for what could not be read. */
  readonly isOpen: boolean;
}

export type IssueChange = "created" | "updated" | "reopened" | "closed" | "unchanged";

interface Issue {
  readonly number: number;
  readonly state: string;
  readonly body?: string | null | undefined;
  readonly user: { readonly login: string } | null;
  readonly pull_request?: unknown;
}

const attemptsMax = 3;
const pagesMax = 100;

/**
 * Keeps one issue in step with a report: made when there is something to say, edited only when that changed, reopened
 * rather than made anew, closed when all is well. It is found by its marker and author, whatever became of its title
 * and labels. Gives what was done, and its number where there is one.
 */
export async function keepIssue(
  github: GitHub,
  wanted: TrackedIssue,
): Promise<{ readonly change: IssueChange; readonly number?: number }> {
  const { owner, repo, title, labels, isOpen } = wanted;
  const body = clipped(wanted.body, bodyLengthMax);
  let lost: unknown;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const found = await findIssue(github, wanted);
    if (found) return { ...(await inStep(github, wanted, found, body)), number: found.number };
    if (!isOpen) return { change: "unchanged" };
    try {
      const { data } = await github.rest.issues.create({ owner, repo, title, body, labels: [...labels] });
      return { change: "created", number: data.number };
    } catch (error) {
      const status = statusOf(error);
      if (status !== undefined && status < 500) throw error;
      lost = error;
    }
  }
  throw new RoundtripError(
    {
      kind: "unavailable",
      what: `keep the issue "${title}" of ${owner}/${repo}`,
      expected: "one issue",
      got: `no answer to ${attemptsMax} attempts, and no issue`,
      wayOut: "run the job again; see githubstatus.com",
    },
    { cause: lost },
  );
}

async function inStep(
  github: GitHub,
  { owner, repo, isOpen }: TrackedIssue,
  found: Issue,
  body: string,
): Promise<{ change: IssueChange }> {
  const wasOpen = found.state === "open";
  if (wasOpen === isOpen && (!isOpen || found.body === body)) return { change: "unchanged" };
  await github.rest.issues.update({
    owner,
    repo,
    issue_number: found.number,
    body,
    ...(wasOpen === isOpen ? {} : { state: isOpen ? ("open" as const) : ("closed" as const) }),
    ...(wasOpen && !isOpen ? { state_reason: "completed" as const } : {}),
  });
  if (wasOpen === isOpen) return { change: "updated" };
  return { change: isOpen ? "reopened" : "closed" };
}

/** An open one before a closed one, newest first. */
async function findIssue(github: GitHub, wanted: TrackedIssue): Promise<Issue | undefined> {
  const { owner, repo, author } = wanted;
  const marker = wanted.body.split(/\r?\n/, 1)[0] ?? "";
  let closed: Issue | undefined;
  let pages = 0;
  const listed = github.paginate.iterator(github.rest.issues.listForRepo, {
    owner,
    repo,
    state: "all",
    per_page: 100,
  });
  for await (const { data } of listed) {
    const own = (data as Issue[]).filter(
      ({ user, body, pull_request }) =>
        pull_request === undefined && user?.login === author && bears(body, marker),
    );
    const open = own.find(({ state }) => state === "open");
    if (open) return open;
    closed ??= own[0];
    pages += 1;
    if (pages === pagesMax) throw tooMany(wanted);
  }
  return closed;
}

function tooMany({ owner, repo, title }: TrackedIssue): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `find the issue "${title}" of ${owner}/${repo}`,
    expected: `it among the newest ${pagesMax * 100} issues and pull requests, or all of them read`,
    got: "more",
    wayOut: "open an issue by hand from the report in the job's summary",
  });
}
