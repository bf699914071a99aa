import { type FailureKind, RoundtripError } from "../../core/errors.ts";
import { awsError } from "./failure.ts";
import { awsFailure } from "./store-failure.ts";

const refusals: Readonly<Record<string, { kind: FailureKind; expected: string; wayOut: string }>> = {
  InvalidInstanceId: {
    kind: "unavailable",
    expected: "an instance that runs and whose SSM agent is online",
    wayOut: "start the instance, wait until SSM shows it Online, and run this again",
  },
  InvalidParameters: {
    kind: "usage",
    expected: "parameters the document allows",
    wayOut: "correct the value; if it looks right, document and program are of different versions: run apply",
  },
  InvalidDocument: {
    kind: "configuration",
    expected: "a document of this name",
    wayOut: "run apply, so that the documents of this version exist",
  },
};

/** What a SendCommand that failed for good means. SSM's message names parameters, never their values. */
export function sendFailure(error: unknown, instanceId: string, document: string): RoundtripError {
  const what = `send document ${document} to ${instanceId}`;
  const { name, message } = awsFailure(error);
  const refusal = refusals[name];
  if (refusal) return new RoundtripError({ ...refusal, what, got: `${name}: ${message}` }, { cause: error });
  const wayOut = "see that the document exists (apply the stack) and that the role may send it";
  return awsError(error, { what, expected: "a command id", wayOut });
}

/** What a GetCommandInvocation that failed for good means. */
export function waitFailure(error: unknown, instanceId: string, commandId: string): RoundtripError {
  return awsError(
    error,
    {
      what: `read command ${commandId} on ${instanceId}`,
      expected: "its invocation",
      wayOut: "check the command's id in the runbook's journal; SSM forgets commands after 30 days",
    },
    ["InvocationDoesNotExist"],
  );
}
