import { MongoError, MongoNetworkError, MongoServerError, MongoServerSelectionError } from "mongodb";
import { type FailureKind, RoundtripError } from "../../core/errors.ts";

/** Server codes that mean: these credentials are not accepted (18), the user is not known (11), no such mechanism (334). */
const credentialCodes = new Set([11, 18, 334]);
/** Unauthorized, and the roles or users a command names don't exist. */
const privilegeCodes = new Set([13, 31]);

export interface Subject {
  /** What was being done, with the thing's name. Never a secret's value. */
  readonly what: string;
  /** "MongoDB" or "DocumentDB" with its hosts, as a person knows them. */
  readonly server: string;
  /** Name of the secret the credentials came from. */
  readonly secretName: string;
}

/**
 * Turns what the driver threw into the error that crosses layers: `denied` for credentials (18) and privileges (13),
 * `unavailable` for a server that can't be reached or chosen, otherwise `internal`. RoundtripErrors pass as they are.
 */
export function mongoFailure(error: unknown, subject: Subject): RoundtripError {
  if (error instanceof RoundtripError) return error;
  const credential = credentialError(error);
  if (credential) {
    return failure(subject, "denied", error, {
      expected: `user name and password of secret ${subject.secretName} to be accepted by ${subject.server}`,
      got: describe(credential),
      wayOut: `compare secret ${subject.secretName} with the user on the server: wrong password, unknown user or another authSource`,
    });
  }
  if (error instanceof MongoServerError && privilegeCodes.has(Number(error.code))) {
    return failure(subject, "denied", error, {
      expected: `the user of secret ${subject.secretName} to hold the privilege on ${subject.server}`,
      got: describe(error),
      wayOut: `grant the user of secret ${subject.secretName} the role that docs/users-and-secrets.md names`,
    });
  }
  if (isUnreachable(error)) {
    return failure(subject, "unavailable", error, {
      expected: `${subject.server} to answer`,
      got: describe(error),
      wayOut:
        "check that the server runs, its port is open from this host, and TLS settings fit; then try again",
    });
  }
  return failure(subject, "internal", error, {
    expected: `${subject.server} to do it`,
    got: describe(error),
    wayOut: "see the server's log at this time; the same step may be run again",
  });
}

/** Elections, shutdowns and lost connections as the server words them: another try can find another primary. */
const passingCodes = new Set([6, 7, 89, 91, 133, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** True for failures of the connection or of a server on its way out, rather than of the request. */
export function isUnreachable(error: unknown): boolean {
  return (
    (error instanceof MongoServerError && passingCodes.has(Number(error.code))) ||
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    (error instanceof MongoError &&
      (error.name === "MongoTopologyClosedError" || error.name === "PoolClearedError"))
  );
}

/** Authentication fails as itself, or wrapped in a selection or network error. */
function credentialError(error: unknown): MongoServerError | undefined {
  let inner: unknown = error;
  for (let depth = 0; depth < 4 && inner instanceof Error; depth++) {
    if (inner instanceof MongoServerError && credentialCodes.has(Number(inner.code))) return inner;
    inner = inner.cause;
  }
  return undefined;
}

function describe(error: unknown): string {
  if (error instanceof MongoServerError)
    return `code ${error.code}${error.codeName ? ` ${error.codeName}` : ""}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

function failure(
  { what }: Subject,
  kind: FailureKind,
  cause: unknown,
  text: { expected: string; got: string; wayOut: string },
): RoundtripError {
  return new RoundtripError({ kind, what, ...text }, { cause });
}
