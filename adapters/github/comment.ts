import { RoundtripError } from "../../core/errors.ts";
import { type GitHub, type Repository, statusOf } from "./client.ts";
import { bears, bodyLengthMax, clipped } from "./sections.ts";

export interface CommentPlace extends Repository {
  /** Number of the issue or pull request. */
  readonly number: number;
  /** First line of the comment (`markerOf`). */
  readonly marker: string;
  /** Who writes it: another's comment is never taken for ours, whatever it says. */
  readonly author: string;
}

interface Comment {
  readonly id: number;
  readonly body?: string | undefined;
  readonly user: { readonly login: string } | null;
}

const attemptsMax = 3;

/**
 * Makes the one comment with this marker say what `compose` makes of what it says now ("" where there is none). Others
 * of the same author and marker, left by two runs at once, are removed. A create whose answer was lost is looked for
 * before it is tried again, so that there is one comment and not two.
 */
export async function upsertComment(
  github: GitHub,
  place: CommentPlace,
  compose: (before: string) => string,
): Promise<"created" | "updated" | "unchanged"> {
  const { owner, repo } = place;
  let lost: unknown;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const [first, ...others] = await ownComments(github, place);
    for (const { id } of others) await github.rest.issues.deleteComment({ owner, repo, comment_id: id });
    const body = bodyOf(place, compose(first?.body ?? ""));
    if (first?.body === body) return lost === undefined ? "unchanged" : "created";
    if (first) {
      await github.rest.issues.updateComment({ owner, repo, comment_id: first.id, body });
      return "updated";
    }
    try {
      await github.rest.issues.createComment({ owner, repo, issue_number: place.number, body });
      return "created";
    } catch (error) {
      // Refused for good: nothing was made. Else nobody knows, and the list tells.
      const status = statusOf(error);
      if (status !== undefined && status < 500) throw error;
      lost = error;
    }
  }
  throw new RoundtripError(
    {
      kind: "unavailable",
      what: `comment on #${place.number} of ${owner}/${repo}`,
      expected: `one comment that begins with ${place.marker}`,
      got: `no answer to ${attemptsMax} attempts, and no comment`,
      wayOut: "run the job again; see githubstatus.com",
    },
    { cause: lost },
  );
}

function bodyOf({ marker }: CommentPlace, composed: string): string {
  return clipped(bears(composed, marker) ? composed : `${marker}\n${composed}`, bodyLengthMax);
}

/** Oldest first, from all pages. */
async function ownComments(github: GitHub, place: CommentPlace): Promise<Comment[]> {
  const { owner, repo, number, marker, author } = place;
  const all: Comment[] = await github.paginate(github.rest.issues.listComments, {
    owner,
    repo,
    issue_number: number,
    per_page: 100,
  });
  return all.filter(({ body, user }) => user?.login === author && bears(body, marker));
}
