/**
 * Exit codes of every program of Roundtrip. A unit that must stay down lists its codes in
 * RestartPreventExitStatus; everything that another try can mend is `unavailable`.
 */
export const exitCodes = {
  ok: 0,
  internal: 1,
  usage: 2,
  /** A precondition does not hold, or an illegal order: nothing was changed. */
  refused: 3,
  /** A service could not be reached or answered with a passing fault: try again. */
  unavailable: 4,
  /** A capability is missing for good: credentials wrong, bucket denies, privilege missing. */
  denied: 5,
  configuration: 6,
  /** No room on the disk. */
  disk: 7,
  /** The change stream no longer holds what was not yet read (codes 136, 286, 280). */
  historyLost: 10,
  /** A hole in the sequence, a torn object, a hash that does not match. */
  logCorrupt: 11,
  /** Another process holds the lease or wrote the next manifest. */
  fenced: 12,
  differs: 13,
  unknown: 14,
  /** Ended by a signal before the work was done; running it again goes on. */
  interrupted: 20,
} as const;

export type FailureKind = Exclude<keyof typeof exitCodes, "ok">;

export interface Failure {
  readonly kind: FailureKind;
  /** What was being done, and to which thing, by name. Never a secret. */
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  /** What a person can do about it. */
  readonly wayOut: string;
}

/** The one error type that crosses layers: says what, expected, got and the way out, and keeps its cause. */
export class RoundtripError extends Error implements Failure {
  readonly kind: FailureKind;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
  readonly wayOut: string;

  constructor(failure: Failure, options?: { cause?: unknown }) {
    super(
      `${failure.what}: expected ${failure.expected}, got ${failure.got}. Way out: ${failure.wayOut}`,
      options,
    );
    this.name = "RoundtripError";
    this.kind = failure.kind;
    this.what = failure.what;
    this.expected = failure.expected;
    this.got = failure.got;
    this.wayOut = failure.wayOut;
  }

  get exitCode(): number {
    return exitCodes[this.kind];
  }
}

/** The exit code for anything thrown: typed errors carry theirs, the rest is `internal`. */
export function exitCodeOf(error: unknown): number {
  return error instanceof RoundtripError ? error.exitCode : exitCodes.internal;
}
