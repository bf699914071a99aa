import { GitHubError } from "./answer.ts";

const limitDefault = 5000;
const windowSecondsDefault = 3600;

export interface RateLimitSettings {
  readonly limit: number;
  readonly windowSeconds: number;
}

interface Window {
  used: number;
  /** Unix seconds. */
  readonly reset: number;
}

/** The primary limit, counted per token in windows; every answer says where it stands. */
export class RateLimit {
  private settings: RateLimitSettings = { limit: limitDefault, windowSeconds: windowSecondsDefault };
  private readonly windows = new Map<string, Window>();

  set(settings: RateLimitSettings): void {
    this.settings = settings;
    this.windows.clear();
  }

  /** Counts one request. Gives the headers of its answer, and the refusal once the window is used up. */
  count(token: string): { headers: Record<string, string>; refusal: GitHubError | undefined } {
    const now = Date.now() / 1000;
    let window = this.windows.get(token);
    if (window === undefined || window.reset <= now) {
      window = { used: 0, reset: Math.ceil(now + this.settings.windowSeconds) };
      this.windows.set(token, window);
    }
    const isOver = window.used >= this.settings.limit;
    if (!isOver) window.used += 1;
    const headers = rateHeaders(this.settings.limit, this.settings.limit - window.used, window.reset);
    return { headers, refusal: isOver ? primaryLimit(window.reset) : undefined };
  }
}

function rateHeaders(limit: number, remaining: number, reset: number): Record<string, string> {
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(remaining),
    "x-ratelimit-used": String(limit - remaining),
    "x-ratelimit-reset": String(reset),
    "x-ratelimit-resource": "core",
  };
}

export function primaryLimit(reset: number): GitHubError {
  return new GitHubError(403, "API rate limit exceeded for installation ID 1.", undefined, {
    "x-ratelimit-remaining": "0",
    "x-ratelimit-reset": String(reset),
  });
}

/** The limit on bursts and on creating content; its headers say nothing of it but `retry-after`, and that not always. */
export function secondaryLimit(status: number, retryAfterSeconds: number | undefined): GitHubError {
  return new GitHubError(
    status,
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    undefined,
    retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) },
  );
}
