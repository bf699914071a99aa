import { type GitHub, orMissing, type Repository } from "./client.ts";

/** A run's gates. */
export interface RunPlace extends Repository {
  readonly runId: number;
  readonly environment: string;
}

/** Who let a run pass the environment's gate, for the journal; undefined where nobody had to. */
export async function approversOf(github: GitHub, place: RunPlace): Promise<string[]> {
  const { owner, repo, runId, environment } = place;
  const answer = await github.rest.actions.getReviewsForRun({ owner, repo, run_id: runId });
  const approvals = answer.data.filter(
    ({ state, environments }) =>
      state === "approved" &&
      environments.some(({ name }) => name?.toLowerCase() === environment.toLowerCase()),
  );
  return [...new Set(approvals.map(({ user }) => user.login))];
}

/** Names of the people and teams whose approval an environment asks for; undefined where there is no such environment. */
export async function reviewersOf(
  github: GitHub,
  { owner, repo, environment }: Repository & { readonly environment: string },
): Promise<string[] | undefined> {
  const asked = github.rest.repos.getEnvironment({ owner, repo, environment_name: environment });
  const answer = await orMissing(asked);
  if (!answer) return undefined;
  const rules = (answer.data.protection_rules ?? []) as readonly {
    readonly type: string;
    readonly reviewers?: readonly {
      readonly reviewer?: { readonly login?: string; readonly slug?: string };
    }[];
  }[];
  return rules
    .filter(({ type }) => type === "required_reviewers")
    .flatMap(({ reviewers = [] }) => reviewers)
    .map(({ reviewer }) => reviewer?.login ?? reviewer?.slug ?? "unknown");
}

export interface PullRequest {
  readonly number: number;
  readonly author: string;
  readonly headCommit: string;
  readonly isFork: boolean;
  readonly labels: readonly string[];
  /** Every path it touches, also the one a file was moved away from. */
  readonly paths: readonly string[];
  /** Logins whose latest review approves the head commit. */
  readonly approvals: readonly string[];
}

const filesTold = 3000;

/** A pull request as far as its trust is judged. GitHub tells 3,000 files: of more, "(more)" stands for the rest. */
export async function readPull(
  github: GitHub,
  { owner, repo, number }: Repository & { readonly number: number },
): Promise<PullRequest> {
  const pull = { owner, repo, pull_number: number };
  const { data } = await github.rest.pulls.get(pull);
  const files = await github.paginate(github.rest.pulls.listFiles, { ...pull, per_page: 100 });
  const reviews = await github.paginate(github.rest.pulls.listReviews, { ...pull, per_page: 100 });
  const latest = new Map<string, { state: string; commit: string | null }>();
  for (const { user, state, commit_id } of reviews) {
    // A comment after an approval doesn't take it back.
    if (user && state !== "COMMENTED") latest.set(user.login, { state, commit: commit_id });
  }
  const headCommit = data.head.sha;
  const home = `${owner}/${repo}`.toLowerCase();
  return {
    number,
    author: data.user.login,
    headCommit,
    // A head repository that was deleted is none of ours.
    isFork: data.head.repo?.full_name.toLowerCase() !== home,
    labels: data.labels.map(({ name }) => name),
    paths: [
      ...files.flatMap(({ filename, previous_filename }) =>
        previous_filename ? [filename, previous_filename] : [filename],
      ),
      ...(files.length >= filesTold ? ["(more)"] : []),
    ],
    approvals: [...latest].flatMap(([login, { state, commit }]) =>
      state === "APPROVED" && commit === headCommit ? [login] : [],
    ),
  };
}

/** Number of the merged pull request that a commit of the main branch came from; undefined where there is none. */
export async function pullOfCommit(
  github: GitHub,
  { owner, repo, commit }: Repository & { readonly commit: string },
): Promise<number | undefined> {
  const { data } = await github.rest.repos.listPullRequestsAssociatedWithCommit({
    owner,
    repo,
    commit_sha: commit,
  });
  return data.find(({ merged_at, merge_commit_sha }) => merged_at && merge_commit_sha === commit)?.number;
}
