import type { InvokeCommandOutput, LambdaClient } from "@aws-sdk/client-lambda";
import { exitCodes, type FailureKind, RoundtripError } from "../../core/errors.ts";
import type { Clock, Functions } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { awsFailure } from "./store-failure.ts";

/** Lambda ends a function after 15 minutes at the latest; its answer has this long beyond that. */
const invocationMsMax = 15 * 60_000 + 30_000;
/** An invocation is repeated once by the SDK: what the product invokes is idempotent, and each try may take minutes. */
const attemptsMax = 2;
/** A function whose code was just replaced answers ResourceConflictException for some seconds. */
const conflictMsMax = 120_000;
const conflictPollMs = 1000;

/** Lambda functions. Fails with RoundtripError naming the function; the payload is never in a message. */
export class AwsFunctions implements Functions {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  #client: LambdaClient | undefined;

  constructor(settings: ClientSettings & { readonly clock?: Clock } = {}) {
    const { clock, ...rest } = settings;
    this.#settings = { requestTimeoutMs: invocationMsMax, attemptsMax, ...rest };
    this.#clock = clock ?? systemClock;
  }

  async invoke(name: string, payload: unknown): Promise<unknown> {
    const what = `invoke the function ${name}`;
    const answer = await this.#send(name, payload, what);
    const text = answer.Payload ? new TextDecoder().decode(answer.Payload) : "";
    if (answer.FunctionError !== undefined) throw functionFailed(what, answer.FunctionError, text);
    try {
      return text === "" ? undefined : JSON.parse(text);
    } catch (cause) {
      throw new RoundtripError(
        {
          kind: "unavailable",
          what,
          expected: "an answer in JSON",
          got: `${text.length} characters that do not parse`,
          wayOut: "see the function's log, then run this again",
        },
        { cause },
      );
    }
  }

  async #send(name: string, payload: unknown, what: string): Promise<InvokeCommandOutput> {
    const sdk = await import("@aws-sdk/client-lambda");
    this.#client ??= new sdk.LambdaClient(clientOptions(this.#settings));
    const command = { FunctionName: name, Payload: new TextEncoder().encode(JSON.stringify(payload)) };
    const end = this.#clock.monotonicMs() + conflictMsMax;
    for (;;) {
      try {
        return await this.#client.send(new sdk.InvokeCommand(command));
      } catch (error) {
        const changing = awsFailure(error).name === "ResourceConflictException";
        if (!changing || this.#clock.monotonicMs() > end)
          throw awsError(
            error,
            {
              what,
              expected: "its answer",
              wayOut: "check the function's name in the environment, and its state",
            },
            ["ResourceNotFoundException"],
          );
        await this.#clock.sleep(conflictPollMs);
      }
    }
  }
}

/**
 * What the function threw, in its own words; Lambda gives them as `{errorType, errorMessage, trace}`. Roundtrip's own
 * functions name the kind of failure in the type: `RoundtripError.refused`.
 */
function functionFailed(what: string, kind: string, text: string): RoundtripError {
  let said = text.slice(0, 1000);
  let type = "";
  try {
    const { errorType = "", errorMessage = "" } = JSON.parse(text) as Record<string, string | undefined>;
    type = errorType;
    said = errorMessage;
  } catch {
    // Then its answer is the best there is.
  }
  const own = /^RoundtripError\.(\w+)$/.exec(type)?.[1] ?? "";
  return new RoundtripError({
    kind: own !== "ok" && Object.hasOwn(exitCodes, own) ? (own as FailureKind) : "unavailable",
    what,
    expected: "the function to succeed",
    got: `${kind.toLowerCase()} error${type ? ` ${type}` : ""}: ${said || "no message"}`,
    wayOut: "mend what it names (its log says more), then run this again",
  });
}
