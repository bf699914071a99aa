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

/** What each code says to a person; every --help and docs/exit-codes.md show these words. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  ok: "done, or ended by SIGTERM with everything in hand finished",
  internal: "a fault of Roundtrip's own",
  usage: "the command line is wrong",
  refused: "a precondition does not hold, or an illegal order; nothing was changed",
  unavailable: "something did not answer, or with a passing fault; another try can mend it",
  denied: "credentials are wrong, or a privilege is missing",
  configuration: "a setting, file or resource is missing or wrong",
  disk: "no room on the disk",
  historyLost: "the change stream no longer holds what was not yet captured",
  logCorrupt: "a hole in the log, a torn object, or a hash that does not match",
  fenced: "another process holds the lease or wrote the next manifest",
  differs: "the verdict is DIFFERS",
  unknown: "the verdict is UNKNOWN, or an end was not seen",
  interrupted: "ended by a signal before the work was done; running it again goes on",
};

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
