import { AwsError } from "../service.ts";
import { describeCommand } from "./command-description.ts";
import { terminal } from "./command-store.ts";
import { filters, list, optionalText, page, text } from "./input.ts";
import { getCommandInvocation, listCommandInvocations } from "./invocations.ts";
import type { Act } from "./run-command.ts";
import { sendCommand } from "./send-command.ts";

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
