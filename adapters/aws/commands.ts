import type { GetCommandInvocationCommandOutput, SSMClient } from "@aws-sdk/client-ssm";
import type { Clock, CommandResult, Commands } from "../../core/ports.ts";
import { systemClock } from "../clock.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { poll } from "./poll.ts";
import { awsFailure } from "./store-failure.ts";

/** How long SSM may take to deliver a command to the agent; the run time is the document's own bound. */
const deliverySeconds = 60;

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
  #client: SSMClient | undefined;

  constructor(settings: ClientSettings & { readonly clock?: Clock } = {}) {
    const { clock, ...rest } = settings;
    this.#settings = rest;
    this.#clock = clock ?? systemClock;
  }

  async #sdk() {
    const sdk = await import("@aws-sdk/client-ssm");
    this.#client ??= new sdk.SSMClient(clientOptions(this.#settings));
    return { sdk, client: this.#client };
  }

  async send(
    instanceId: string,
    document: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<string> {
    const { sdk, client } = await this.#sdk();
    const Parameters = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]]));
    const input = { InstanceIds: [instanceId], DocumentName: document, Parameters };
    try {
      const { Command: command } = await client.send(
        new sdk.SendCommandCommand({ ...input, TimeoutSeconds: deliverySeconds }),
      );
      if (!command?.CommandId) throw new Error("an answer without a command id");
      return command.CommandId;
    } catch (error) {
      throw awsError(
        error,
        {
          what: `send document ${document} to ${instanceId}`,
          expected: "a command id",
          wayOut:
            "see that the document exists (apply the stack) and that the host is on and registered with SSM",
        },
        ["InvalidDocument", "InvalidInstanceId"],
      );
    }
  }

  async wait(instanceId: string, commandId: string, timeoutSeconds: number): Promise<CommandResult> {
    const waitFor = {
      what: `wait for command ${commandId} on ${instanceId}`,
      expected: "its end",
      wayOut: "the host may still be at work: run the same runbook again, it re-attaches",
    };
    return poll<CommandResult>(this.#clock, timeoutSeconds, waitFor, async () => {
      const invocation = await this.#invocation(instanceId, commandId);
      const status = ends[invocation?.Status ?? ""];
      if (!invocation || !status) return { seen: invocation?.StatusDetails ?? "no invocation yet" };
      return { answer: resultOf(commandId, status, invocation) };
    });
  }

  /** `undefined` right after SendCommand, while the invocation can't be read yet: SSM is eventually consistent. */
  async #invocation(instanceId: string, commandId: string) {
    const { sdk, client } = await this.#sdk();
    try {
      return await client.send(
        new sdk.GetCommandInvocationCommand({ InstanceId: instanceId, CommandId: commandId }),
      );
    } catch (error) {
      if (awsFailure(error).name === "InvocationDoesNotExist") return undefined;
      throw awsError(error, {
        what: `read command ${commandId} on ${instanceId}`,
        expected: "its invocation",
        wayOut: "run the same runbook again, it re-attaches",
      });
    }
  }
}

function resultOf(
  commandId: string,
  status: CommandResult["status"],
  invocation: GetCommandInvocationCommandOutput,
): CommandResult {
  return {
    commandId,
    status,
    exitCode: invocation.ResponseCode ?? -1,
    stdout: invocation.StandardOutputContent ?? "",
    stderr: invocation.StandardErrorContent ?? "",
  };
}
