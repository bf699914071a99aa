import { StoreError, type StoreErrorKind } from "../store-error.ts";

/** What an SDK error says about the request that failed. */
export interface AwsFailure {
  readonly name: string;
  readonly status: number | undefined;
  readonly message: string;
}

export function awsFailure(error: unknown): AwsFailure {
  const given = error as
    | { name?: unknown; message?: unknown; $metadata?: { httpStatusCode?: number } }
    | undefined;
  return {
    name: typeof given?.name === "string" ? given.name : "Error",
    status: given?.$metadata?.httpStatusCode,
    message: typeof given?.message === "string" ? given.message : String(error),
  };
}

const kinds: Readonly<Record<string, StoreErrorKind>> = {
  NoSuchBucket: "missing-bucket",
  PermanentRedirect: "missing-bucket",
  InvalidBucketName: "missing-bucket",
  PreconditionFailed: "precondition",
  // If-Match on an object that is gone; a plain read of a missing key never gets here.
  NoSuchKey: "precondition",
  ConditionalRequestConflict: "precondition",
  BadDigest: "corrupt",
  InvalidDigest: "corrupt",
  XAmzContentSHA256Mismatch: "corrupt",
  // The object is shorter than its reader was told.
  InvalidRange: "corrupt",
  CredentialsProviderError: "denied",
  ExpiredToken: "denied",
  InvalidToken: "denied",
};

function kindOf({ name, status, message }: AwsFailure): StoreErrorKind {
  const known = kinds[name];
  if (known !== undefined) return known;
  if (/checksum mismatch/i.test(message)) return "corrupt";
  if (status === 401 || status === 403) return "denied";
  if (status === 412 || status === 409) return "precondition";
  return "unavailable";
}

const waysOut: Readonly<Record<StoreErrorKind, string>> = {
  precondition: "somebody else wrote this object first: read it again and decide",
  denied:
    "check the role's credentials and its policy for this bucket and prefix, and the bucket's own policy",
  "missing-bucket": "check the bucket's name and region in the environment, or create it with Terraform",
  unavailable: "S3 or the network failed for as long as the retries lasted: check both, then run it again",
  corrupt:
    "the bytes changed on their way or at rest: repeat it; if it stays, restore the object from its backup",
};

/** A StoreError from what the SDK threw: what was tried, what S3 answered, and the way out. The cause is kept. */
export function storeFailure(error: unknown, what: string, expected: string): StoreError {
  if (error instanceof StoreError) return error;
  const failure = awsFailure(error);
  const kind = kindOf(failure);
  const status = failure.status === undefined ? "" : ` (HTTP ${failure.status})`;
  return new StoreError(
    kind,
    { what, expected, got: `${failure.name}${status}: ${failure.message}`, wayOut: waysOut[kind] },
    { cause: error },
  );
}
