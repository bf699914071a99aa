import { type FailureKind, RoundtripError } from "../../core/errors.ts";
import { awsFailure } from "./store-failure.ts";

const denied =
  /AccessDenied|UnrecognizedClient|InvalidSignature|ExpiredToken|InvalidClientToken|CredentialsProviderError|NotAuthorized|Unauthorized/;

/** What kind of failure an AWS API answered with; `missing` is what a name that isn't there means to the caller. */
export function failureKind(error: unknown, missing: readonly string[]): FailureKind {
  const { name, status } = awsFailure(error);
  if (missing.includes(name)) return "configuration";
  if (denied.test(name) || status === 401 || status === 403) return "denied";
  if (status !== undefined && status >= 400 && status < 500 && !/Thrott|TooMany|RequestLimit/.test(name))
    return "configuration";
  return "unavailable";
}

const waysOut: Readonly<Partial<Record<FailureKind, string>>> = {
  denied: "check the role's credentials and that its policy allows this action on this resource",
  unavailable: "AWS or the network failed for as long as the retries lasted: check both, then run it again",
};

/** A RoundtripError from what an SDK client threw. The cause is kept. */
export function awsError(
  error: unknown,
  failure: { readonly what: string; readonly expected: string; readonly wayOut: string },
  missing: readonly string[] = [],
): RoundtripError {
  if (error instanceof RoundtripError) return error;
  const kind = failureKind(error, missing);
  const { name, status, message } = awsFailure(error);
  const got = `${name}${status === undefined ? "" : ` (HTTP ${status})`}: ${message}`;
  return new RoundtripError(
    { ...failure, kind, got, wayOut: waysOut[kind] ?? failure.wayOut },
    { cause: error },
  );
}
