import type { RequestContext } from "../service.ts";
import { type Command, type Invocation, terminal } from "./command-store.ts";
import type { RunCommand } from "./run-command.ts";

/** A command as SendCommand and ListCommands show it, its status drawn from its invocations. */
export function describeCommand(ssm: RunCommand, command: Command, context: RequestContext): object {
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
