import { RoundtripError } from "../../core/errors.ts";
import type { Logger } from "../../core/ports.ts";

/**
 * The error a function ends with, after it has been logged: its message without secrets, its kind in its name. A new one,
 * without cause or stack of libraries: Lambda writes both into its reply, its log, and the record of a failure.
 */
export function lambdaFailure(error: unknown, redact: (text: string) => string, logger: Logger): Error {
  const kind = error instanceof RoundtripError ? error.kind : "internal";
  const message = redact(error instanceof Error ? error.message : String(error));
  logger.error({ kind }, message);
  const failure = new Error(message);
  failure.name = error instanceof RoundtripError ? `RoundtripError.${kind}` : "InternalError";
  failure.stack = `${failure.name}: ${message}`;
  return failure;
}
