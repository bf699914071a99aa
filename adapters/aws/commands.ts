import { randomUUID } from "node:crypto";
import type { GetCommandInvocationCommandOutput, SSMClient } from "@aws-sdk/client-ssm";
import { RoundtripError } from "../../core/errors.ts";
import type { Clock, CommandResult, Commands } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { sendFailure, waitFailure } from "./command-failure.ts";
import { failureKind } from "./failure.ts";
import { poll } from "./poll.ts";
import { awsFailure } from "./store-failure.ts";

export interface CommandSettings extends ClientSettings {
  readonly clock?: Clock;
  /** A command that nobody sees for so long after it was sent is not there; 60 s. */
  readonly invisibleSecondsMax?: number;
}

/** How long SSM may take to deliver a command to the agent (30 s at least); the run time is the document's own bound. */
const deliverySeconds = 60;
const sendsMax = 3;
/** Commands are listed with a delay: only after this long is "not listed" taken for "not sent". */
const traceSeconds = 10;
/** The runner's clock may be off by this when the listing is asked for what is newer than the sending. */
const clockSkewMs = 300_000;

const ends: Readonly<Record<string, CommandResult["status"]>> = {
  Success: "success",
  Failed: "failed",
  TimedOut: "timed-out",
  Cancelled: "cancelled",
};

/** SSM Run Command. Fails with RoundtripError naming document and instance; parameters never stand in a message. */
export class AwsCommands implements Commands {
  readonly #settings: ClientSettings;
  readonly #clock: Clock;
  readonly #invisibleMsMax: number;
  #client: SSMClient | undefined;

  constructor({ clock, invisibleSecondsMax = 60, ...settings }: CommandSettings = {}) {
    this.#settings = settings;
    this.#clock = clock ?? systemClock;
    this.#invisibleMsMax = invisibleSecondsMax * 1000;
  }

  async #sdk() {
    const sdk = await import("@aws-sdk/client-ssm");
    this.#client ??= new sdk.SSMClient(clientOptions(this.#settings));
    return { sdk, client: this.#client };
  }

  /**
   * Starts a document on one instance and gives the command's id. SendCommand has no token that makes it idempotent, so
   * a request whose answer was lost is looked for by the mark in its comment, and sent again only when it isn't found:
   * nothing runs twice. Fails "configuration" (document), "usage" (parameters), "unavailable" (instance, network).
   */
  async send(
    instanceId: string,
    document: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<string> {
    const mark = `roundtrip ${randomUUID()}`;
    const sentAfter = new Date(this.#clock.now().getTime() - clockSkewMs);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sendOnce(instanceId, document, parameters, mark);
      } catch (error) {
        const mayHaveArrived = failureKind(error, []) === "unavailable";
        const known = mayHaveArrived ? await this.#findByMark(instanceId, mark, sentAfter) : undefined;
        if (known !== undefined) return known;
        if (!mayHaveArrived || attempt === sendsMax) throw sendFailure(error, instanceId, document);
      }
    }
  }

  async #sendOnce(
    instanceId: string,
    document: string,
    parameters: Readonly<Record<string, string>>,
    mark: string,
  ): Promise<string> {
    const { sdk } = await this.#sdk();
    // A client of its own with one try: the SDK's repetition would be a second command.
    const client = new sdk.SSMClient({ ...clientOptions(this.#settings), maxAttempts: 1 });
    try {
      const { Command: command } = await client.send(
        new sdk.SendCommandCommand({
          InstanceIds: [instanceId],
          DocumentName: document,
          Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
          TimeoutSeconds: deliverySeconds,
          Comment: mark,
        }),
      );
      if (!command?.CommandId) throw new Error("an answer without a command id");
      return command.CommandId;
    } finally {
      client.destroy();
    }
  }

  /** The id of the command with this mark, if it arrived after all. Throws when that can't be found out. */
  async #findByMark(instanceId: string, mark: string, sentAfter: Date): Promise<string | undefined> {
    const { sdk, client } = await this.#sdk();
    const end = this.#clock.monotonicMs() + traceSeconds * 1000;
    const Filters = [{ key: "InvokedAfter" as const, value: `${sentAfter.toISOString().slice(0, 19)}Z` }];
    try {
      for (;;) {
        const pages = sdk.paginateListCommands({ client }, { InstanceId: instanceId, Filters });
        for await (const { Commands: commands } of pages) {
          const found = commands?.find(({ Comment }) => Comment === mark)?.CommandId;
          if (found !== undefined) return found;
        }
        if (this.#clock.monotonicMs() >= end) return undefined;
        await this.#clock.sleep(1000);
      }
    } catch (cause) {
      throw new RoundtripError(
        {
          kind: "unavailable",
          what: `find out whether a command reached ${instanceId}`,
          expected: "the list of its commands",
          got: awsFailure(cause).message,
          wayOut: `look for a command with the comment "${mark}" in the instance's history; without one, run this again`,
        },
        { cause },
      );
    }
  }

  /**
   * Waits for a command's end. Passing faults, and "does not exist" right after sending, are waited out. Fails "unknown"
   * after `timeoutSeconds`: the command may still run and can be waited for again by its id.
   */
  async wait(instanceId: string, commandId: string, timeoutSeconds: number): Promise<CommandResult> {
    const waitFor = {
      what: `wait for command ${commandId} on ${instanceId}`,
      expected: "its end",
      wayOut: "the host may still be at work: run the same runbook again, it re-attaches",
    };
    const startedMs = this.#clock.monotonicMs();
    let isKnown = false;
    return poll<CommandResult>(this.#clock, timeoutSeconds, waitFor, async () => {
      try {
        const invocation = await this.#invocation(instanceId, commandId);
        isKnown = true;
        const status = ends[invocation.Status ?? ""];
        return status
          ? { answer: resultOf(commandId, status, invocation) }
          : { seen: `${invocation.StatusDetails}` };
      } catch (error) {
        const isMissing = awsFailure(error).name === "InvocationDoesNotExist";
        const waitedMs = this.#clock.monotonicMs() - startedMs;
        const passes = isMissing
          ? !isKnown && waitedMs < this.#invisibleMsMax
          : failureKind(error, []) === "unavailable";
        if (!passes) throw waitFailure(error, instanceId, commandId);
        return { seen: isMissing ? "no invocation yet" : awsFailure(error).message };
      }
    });
  }

  async #invocation(instanceId: string, commandId: string): Promise<GetCommandInvocationCommandOutput> {
    const { sdk, client } = await this.#sdk();
    return client.send(new sdk.GetCommandInvocationCommand({ InstanceId: instanceId, CommandId: commandId }));
  }
}

function resultOf(
  commandId: string,
  status: CommandResult["status"],
  invocation: GetCommandInvocationCommandOutput,
): CommandResult {
  const said = invocation.StandardErrorContent ?? "";
  return {
    commandId,
    status,
    exitCode: invocation.ResponseCode ?? -1,
    stdout: invocation.StandardOutputContent ?? "",
    // A command that never reached its host said nothing: what SSM says of it is all there is.
    stderr: said === "" && status !== "success" ? `SSM: ${invocation.StatusDetails}` : said,
  };
}
