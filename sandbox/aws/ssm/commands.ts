import { randomUUID } from "node:crypto";
import type { InstanceStore } from "../ec2/instance-store.ts";
import { AwsError, type RequestContext } from "../service.ts";
import {
  type Command,
  type CommandStore,
  type Invocation,
  type StepResult,
  terminal,
} from "./command-store.ts";
import type { Delivery } from "./delivery.ts";
import { type DocumentContent, parseDocument } from "./document-content.ts";
import type { DocumentStore } from "./document-store.ts";
import { documentName } from "./documents.ts";
import { filters, type Input, integer, list, optionalText, page, text } from "./input.ts";
import { outputFolder } from "./output-bucket.ts";
import { resolveParameters, type Values } from "./parameter-values.ts";
import type { SsmSettings } from "./settings.ts";

export interface RunCommand {
  readonly documents: DocumentStore;
  readonly commands: CommandStore;
  readonly instances: InstanceStore;
  readonly delivery: Delivery;
  readonly settings: () => SsmSettings;
}

type Act = (ssm: RunCommand, input: Input, context: RequestContext) => Promise<object> | object;

const runShellScript = "AWS-RunShellScript";
const listOutputCharactersMax = 2500;
const runShellScriptContent: DocumentContent = parseDocument(
  JSON.stringify({
    schemaVersion: "2.2",
    parameters: {
      commands: { type: "StringList" },
      workingDirectory: { type: "String", default: "" },
      executionTimeout: { type: "String", default: "3600", allowedPattern: "^[1-9][0-9]{0,5}$" },
    },
    mainSteps: [
      {
        action: "aws:runShellScript",
        name: "runShellScript",
        inputs: {
          runCommand: ["{{ commands }}"],
          workingDirectory: "{{ workingDirectory }}",
          timeoutSeconds: "{{ executionTimeout }}",
        },
      },
    ],
  }),
  "JSON",
);

function documentOf(
  ssm: RunCommand,
  input: Input,
  context: RequestContext,
): { name: string; version: string; content: DocumentContent } {
  const name = documentName(text(input, "DocumentName"));
  if (name === runShellScript) {
    if (ssm.settings().allowRunShellScript) return { name, version: "1", content: runShellScriptContent };
    throw new AwsError(
      "AccessDeniedException",
      `not authorized to perform: ssm:SendCommand on resource: arn:aws:ssm:${context.region}::document/${name}`,
    );
  }
  const document = ssm.documents.get(name, optionalText(input, "DocumentVersion") ?? "$DEFAULT");
  const hash = optionalText(input, "DocumentHash");
  if (hash !== undefined && hash !== document.hash)
    throw new AwsError("InvalidDocumentVersion", `The hash of ${name} is ${document.hash}, not ${hash}`);
  return { name, version: String(document.version), content: document.content };
}

/** Instances by id or by `Targets`; every one must be managed and running. */
function instancesOf(ssm: RunCommand, input: Input): string[] {
  const ids = list(input, "InstanceIds").map(String);
  const targets = filters(input, "Targets");
  if (ids.length > 50 || targets.length > 5)
    throw new AwsError("ValidationException", "at most 50 InstanceIds or 5 Targets");
  const chosen = new Set(ids);
  for (const instance of targets.length > 0 ? ssm.instances.all() : []) {
    const isMeant = targets.every(({ key, values }) =>
      key === "InstanceIds"
        ? values.includes(instance.id)
        : key.startsWith("tag:") && values.includes(instance.tags[key.slice(4)] ?? ""),
    );
    if (isMeant && instance.pingedAt > 0) chosen.add(instance.id);
  }
  const invalid = ids.filter((id) => {
    const instance = ssm.instances.find(id);
    return instance?.state !== "running" || instance.pingedAt < instance.stateSince;
  });
  if (invalid.length > 0)
    throw new AwsError(
      "InvalidInstanceId",
      `Instances [[${invalid.join(", ")}]] not in a valid state for account`,
    );
  if (chosen.size === 0 && targets.length === 0)
    throw new AwsError("InvalidInstanceId", "expected InstanceIds or Targets");
  return [...chosen];
}

const sendCommand: Act = (ssm, input, context) => {
  const document = documentOf(ssm, input, context);
  const instanceIds = instancesOf(ssm, input);
  const given = (input.Parameters ?? {}) as Values;
  const command: Command = {
    id: randomUUID(),
    documentName: document.name,
    documentVersion: document.version,
    content: document.content,
    parameters: resolveParameters(document.content, given),
    given,
    comment: optionalText(input, "Comment") ?? "",
    instanceIds,
    targets: list(input, "Targets"),
    timeoutSeconds: integer(input, "TimeoutSeconds", 600, 30, 2_592_000),
    outputBucket: optionalText(input, "OutputS3BucketName") ?? "",
    outputPrefix: optionalText(input, "OutputS3KeyPrefix") ?? "",
    requestedAt: context.now().getTime(),
  };
  ssm.commands.add(command);
  ssm.delivery.wake();
  return { Command: describeCommand(ssm, command, context) };
};

function describeCommand(ssm: RunCommand, command: Command, context: RequestContext): object {
  const invocations = ssm.commands.invocationsOf(command.id);
  const isOpen = invocations.some(({ status }) => !terminal.has(status));
  const worst =
    (["Failed", "TimedOut", "Cancelled"] as const).find((status) =>
      invocations.some((each) => each.status === status),
    ) ?? "Success";
  const status = !isOpen
    ? worst
    : invocations.every((each) => each.status === "Pending")
      ? "Pending"
      : "InProgress";
  const count = (wanted: (invocation: Invocation) => boolean): number => invocations.filter(wanted).length;
  return {
    CommandId: command.id,
    DocumentName: command.documentName,
    DocumentVersion: command.documentVersion,
    Comment: command.comment,
    ExpiresAfter: new Date(command.requestedAt + command.timeoutSeconds * 1000),
    Parameters: command.given,
    InstanceIds: command.instanceIds,
    Targets: command.targets,
    RequestedDateTime: new Date(command.requestedAt),
    Status: status,
    StatusDetails: status,
    OutputS3Region: context.region,
    OutputS3BucketName: command.outputBucket,
    OutputS3KeyPrefix: command.outputPrefix,
    MaxConcurrency: "50",
    MaxErrors: "0",
    TargetCount: invocations.length,
    CompletedCount: count((each) => terminal.has(each.status)),
    ErrorCount: count((each) => each.status === "Failed" || each.details === "ExecutionTimedOut"),
    DeliveryTimedOutCount: count((each) => each.details === "DeliveryTimedOut"),
    ServiceRole: "",
    TimeoutSeconds: command.timeoutSeconds,
    NotificationConfig: { NotificationArn: "", NotificationEvents: [], NotificationType: "" },
    CloudWatchOutputConfig: { CloudWatchLogGroupName: "", CloudWatchOutputEnabled: false },
  };
}

/** Eventual consistency: for a while a fresh invocation isn't there for those who ask. */
function isVisible(ssm: RunCommand, command: Command, invocation: Invocation, now: number): boolean {
  const { invisibleMs, invisibleCalls } = ssm.settings();
  if (now - command.requestedAt >= invisibleMs && invocation.reads >= invisibleCalls) return true;
  ssm.commands.save({ ...invocation, reads: invocation.reads + 1 });
  return false;
}

const getCommandInvocation: Act = async (ssm, input, context) => {
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

const listCommandInvocations: Act = (ssm, input, context) => {
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

const commandFilters: Readonly<
  Record<
    string,
    (command: { DocumentName: string; Status: string; RequestedDateTime: Date }, value: string) => boolean
  >
> = {
  DocumentName: (command, value) => command.DocumentName === value,
  Status: (command, value) => command.Status === value,
  InvokedAfter: (command, value) => command.RequestedDateTime >= new Date(value),
  InvokedBefore: (command, value) => command.RequestedDateTime < new Date(value),
};

const listCommands: Act = (ssm, input, context) => {
  const id = optionalText(input, "CommandId");
  const instanceId = optionalText(input, "InstanceId");
  const wanted = filters(input, "Filters");
  const found = ssm.commands
    .commands()
    .filter(
      (command) =>
        (id === undefined || command.id === id) &&
        (instanceId === undefined || command.instanceIds.includes(instanceId)),
    )
    .map(
      (command) =>
        describeCommand(ssm, command, context) as {
          DocumentName: string;
          Status: string;
          RequestedDateTime: Date;
        },
    )
    .filter((command) =>
      wanted.every(({ key, values }) => {
        const accepts = commandFilters[key];
        if (!accepts) throw new AwsError("InvalidFilterKey", `filter key ${key} is not known`);
        return values.every((value) => accepts(command, value));
      }),
    );
  const { items, next } = page(input, found, 50);
  return { Commands: items, NextToken: next };
};

const cancelCommand: Act = (ssm, input) => {
  const id = text(input, "CommandId");
  if (!ssm.commands.command(id)) throw new AwsError("InvalidCommandId", `Command ${id} does not exist.`);
  const only = list(input, "InstanceIds").map(String);
  for (const invocation of ssm.commands.invocationsOf(id)) {
    if (terminal.has(invocation.status) || (only.length > 0 && !only.includes(invocation.instanceId)))
      continue;
    ssm.commands.save({ ...invocation, cancelRequested: true });
  }
  ssm.delivery.wake();
  return {};
};

/** Run Command: what is sent, how it stands, how it is called off. */
export const commandOperations: Readonly<Record<string, Act>> = {
  SendCommand: sendCommand,
  GetCommandInvocation: getCommandInvocation,
  ListCommandInvocations: listCommandInvocations,
  ListCommands: listCommands,
  CancelCommand: cancelCommand,
};
