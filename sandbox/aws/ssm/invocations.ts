import { AwsError, type RequestContext } from "../service.ts";
import { type Command, type Invocation, type StepResult, terminal } from "./command-store.ts";
import { optionalText, page, text } from "./input.ts";
import { outputFolder } from "./output-bucket.ts";
import type { Act, RunCommand } from "./run-command.ts";

const listOutputCharactersMax = 2500;

/** Eventual consistency: for a while a fresh invocation isn't there for those who ask. */
function isVisible(ssm: RunCommand, command: Command, invocation: Invocation, now: number): boolean {
  const { invisibleMs, invisibleCalls } = ssm.settings();
  if (now - command.requestedAt >= invisibleMs && invocation.reads >= invisibleCalls) return true;
  ssm.commands.save({ ...invocation, reads: invocation.reads + 1 });
  return false;
}

/** GetCommandInvocation, with its race, its PluginName rule and its cut output. */
export const getCommandInvocation: Act = async (ssm, input, context) => {
  const command = ssm.commands.command(text(input, "CommandId"));
  const found = ssm.commands.invocation(text(input, "CommandId"), text(input, "InstanceId"));
  if (!command || !found || !isVisible(ssm, command, found, context.now().getTime())) {
    throw new AwsError("InvocationDoesNotExist", "");
  }
  const wanted = optionalText(input, "PluginName");
  if (wanted === undefined && found.steps.length > 1)
    throw new AwsError("InvalidPluginName", "The document has several steps: PluginName must name one.");
  const invocation = await ssm.delivery.advance(found);
  const step =
    wanted === undefined ? invocation.steps[0] : invocation.steps.find(({ name }) => name === wanted);
  if (!step) throw new AwsError("InvalidPluginName", `The plugin name ${wanted} is not valid.`);
  const isAlone = invocation.steps.length === 1;
  return {
    CommandId: command.id,
    InstanceId: invocation.instanceId,
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: command.documentVersion,
    PluginName: step.name,
    ResponseCode: terminal.has(step.status) ? step.exitCode : -1,
    ExecutionStartDateTime: step.startedAt ?? "",
    ExecutionElapsedTime: elapsed(step),
    ExecutionEndDateTime: step.endedAt ?? "",
    Status: isAlone ? invocation.status : step.status,
    StatusDetails: isAlone ? invocation.details : step.status,
    StandardOutputContent: step.stdout,
    StandardErrorContent: step.stderr,
    ...outputUrls(command, invocation, step, context),
    CloudWatchOutputConfig: { CloudWatchLogGroupName: "", CloudWatchOutputEnabled: false },
  };
};

function outputUrls(
  command: Command,
  invocation: Invocation,
  step: StepResult,
  context: RequestContext,
): Record<string, string> {
  if (command.outputBucket === "") return { StandardOutputUrl: "", StandardErrorUrl: "" };
  const base = `https://s3.${context.region}.amazonaws.com/${command.outputBucket}/${outputFolder(command, invocation.instanceId, step.name)}`;
  return { StandardOutputUrl: `${base}/stdout`, StandardErrorUrl: `${base}/stderr` };
}

function elapsed(step: StepResult): string {
  if (!step.startedAt || !step.endedAt) return "";
  return `PT${(Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000}S`;
}

function describeInvocation(command: Command, invocation: Invocation, withDetails: boolean): object {
  return {
    CommandId: command.id,
    InstanceId: invocation.instanceId,
    InstanceName: "",
    Comment: command.comment,
    DocumentName: command.documentName,
    DocumentVersion: command.documentVersion,
    RequestedDateTime: new Date(command.requestedAt),
    Status: invocation.status,
    StatusDetails: invocation.details,
    StandardOutputUrl: "",
    StandardErrorUrl: "",
    ServiceRole: "",
    CommandPlugins: (withDetails ? invocation.steps : []).map((step) => ({
      Name: step.name,
      Status: step.status,
      StatusDetails: step.status,
      ResponseCode: terminal.has(step.status) ? step.exitCode : -1,
      Output: (step.stdout + (step.stderr === "" ? "" : `\n----------ERROR-------\n${step.stderr}`)).slice(
        0,
        listOutputCharactersMax,
      ),
      ResponseStartDateTime: step.startedAt ? new Date(step.startedAt) : undefined,
      ResponseFinishDateTime: step.endedAt ? new Date(step.endedAt) : undefined,
    })),
  };
}

/** ListCommandInvocations: only what is visible already. */
export const listCommandInvocations: Act = (ssm, input, context) => {
  const id = optionalText(input, "CommandId");
  const instanceId = optionalText(input, "InstanceId");
  const now = context.now().getTime();
  const found = ssm.commands
    .commands()
    .filter((command) => id === undefined || command.id === id)
    .flatMap((command) =>
      ssm.commands
        .invocationsOf(command.id)
        .filter((invocation) => instanceId === undefined || invocation.instanceId === instanceId)
        .filter((invocation) => isVisible(ssm, command, invocation, now))
        .map((invocation) => describeInvocation(command, invocation, input.Details === true)),
    );
  const { items, next } = page(input, found, 50);
  return { CommandInvocations: items, NextToken: next };
};
