import { getOctokit } from "@actions/github";
import { RoundtripError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { isPassing, waitMsBefore } from "./patience.ts";

export interface Repository {
  readonly owner: string;
  readonly repo: string;
}

export type GitHub = ReturnType<typeof getOctokit>;

const attemptsMax = 5;
const requestTimeoutMs = 30_000;

/**
 * GitHub's REST API with bounded patience: waits out its limits for as long as it says, up to two minutes a time, and
 * asks again after a passing fault where asking twice does no harm. A POST whose answer was lost is not sent again.
 * Fails `denied` (401, 403, 404), `configuration` (other 4xx) or `unavailable`; the cause keeps GitHub's answer.
 */
export function connectGitHub(options: {
  readonly token: string;
  /** Like https://api.github.com: GITHUB_API_URL in Actions. */
  readonly baseUrl: string;
  readonly clock: Clock;
}): GitHub {
  const { token, baseUrl, clock } = options;
  const github = getOctokit(token, { baseUrl, userAgent: "roundtrip" });
  github.hook.wrap("request", async (request, parameters) => {
    const what = `ask GitHub ${parameters.method} ${parameters.url.replace(baseUrl, "")}`;
    for (let attempt = 1; ; attempt += 1) {
      try {
        // A connection that answers nothing must not hold a job until its own limit.
        const signal = AbortSignal.timeout(requestTimeoutMs);
        return await request({ ...parameters, request: { ...parameters.request, signal } });
      } catch (cause) {
        const waitMs = waitMsBefore({ cause, attempt, method: parameters.method, now: clock.now() });
        if (waitMs === undefined || attempt === attemptsMax) throw asRoundtripError(what, cause);
        await clock.sleep(waitMs);
      }
    }
  });
  return github;
}

/** The status GitHub answered with; none where no answer came. */
export function statusOf(error: unknown): number | undefined {
  const cause = error instanceof RoundtripError ? error.cause : error;
  const status = (cause as { status?: unknown } | undefined)?.status;
  const answered = (cause as { response?: unknown } | undefined)?.response !== undefined;
  return typeof status === "number" && answered ? status : undefined;
}

/** Undefined for what isn't there, or what this token may not see: GitHub says 404 for both. */
export async function orMissing<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

function asRoundtripError(what: string, cause: unknown): RoundtripError {
  const status = statusOf(cause);
  const got = `${status ?? "no answer"}: ${cause instanceof Error ? cause.message : String(cause)}`;
  const expected = "an answer";
  if (status === undefined || isPassing(cause))
    return new RoundtripError(
      { kind: "unavailable", what, expected, got, wayOut: "run it again; see githubstatus.com" },
      { cause },
    );
  const isDenied = status === 401 || status === 403 || status === 404;
  return new RoundtripError(
    {
      kind: isDenied ? "denied" : "configuration",
      what,
      expected,
      got,
      wayOut: isDenied
        ? "see that it is there, and that the job's permissions (or the token) allow this"
        : "mend what GitHub names",
    },
    { cause },
  );
}
