/** When a request to GitHub may be made again: https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api */
const waitMsMax = 120_000;
const secondaryWaitMs = 60_000;
const passingWaitMs = 1_000;

interface Refusal {
  readonly status?: number;
  readonly message?: string;
  readonly response?: { readonly headers?: Readonly<Record<string, string | number | undefined>> };
}

interface Failed {
  readonly cause: unknown;
  /** From 1. */
  readonly attempt: number;
  readonly method: string;
  readonly now: Date;
}

/** Milliseconds to wait before the next attempt; undefined where there should be none. */
export function waitMsBefore({ cause, attempt, method, now }: Failed): number | undefined {
  const limited = limitWaitMs(cause as Refusal, now);
  // A limit refuses before anything is done, so that also a POST may be sent again.
  if (limited !== undefined) return limited <= waitMsMax ? limited : undefined;
  if (!isPassing(cause) || method === "POST") return undefined;
  return passingWaitMs * 2 ** (attempt - 1);
}

/** What another try can mend: a limit, a fault of GitHub's own, or no answer at all. */
export function isPassing(cause: unknown): boolean {
  const { status, response } = cause as Refusal;
  if (response === undefined || status === undefined) return true;
  return status >= 500 || isLimit(cause as Refusal);
}

function isLimit({ status, message = "", response }: Refusal): boolean {
  if (status === 429) return true;
  const headers = response?.headers ?? {};
  return (
    status === 403 &&
    (headers["retry-after"] !== undefined ||
      headers["x-ratelimit-remaining"] === "0" ||
      message.includes("secondary rate limit"))
  );
}

function limitWaitMs(refusal: Refusal, now: Date): number | undefined {
  if (refusal.response === undefined || !isLimit(refusal)) return undefined;
  const headers = refusal.response.headers ?? {};
  const retryAfter = Number(headers["retry-after"]);
  if (headers["retry-after"] !== undefined && Number.isFinite(retryAfter)) return retryAfter * 1000;
  const reset = Number(headers["x-ratelimit-reset"]);
  if (headers["x-ratelimit-remaining"] === "0" && Number.isFinite(reset))
    return Math.max(0, reset * 1000 - now.getTime()) + 1000;
  return secondaryWaitMs;
}
