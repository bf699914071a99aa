import { randomUUID } from "node:crypto";
import { AwsError, type RequestContext } from "../service.ts";
import { describeCommand } from "./command-description.ts";
import type { Command } from "./command-store.ts";
import { type DocumentContent, parseDocument } from "./document-content.ts";
import { documentName } from "./documents.ts";
import { filters, type Input, integer, list, optionalText, text } from "./input.ts";
import { resolveParameters, type Values } from "./parameter-values.ts";
import type { Act, RunCommand } from "./run-command.ts";

const runShellScript = "AWS-RunShellScript";
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

/** SendCommand: checks everything, stores the command, and lets the delivery take it from there. */
export const sendCommand: Act = (ssm, input, context) => {
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
