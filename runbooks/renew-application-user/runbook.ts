import type { Operation, OperationContext } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";

function credentials({ inputs, operationId }: OperationContext) {
  return { account: `application:${inputs.user}`, change: "password", operation: operationId };
}

/** Renews an application user's password on DocumentDB and in its secret. The applications read the secret anew. */
export const renewApplicationUser: Operation = {
  kind: "operation",
  name: "renew-application-user",
  summary: "Renew the password of an application user of DocumentDB, and its secret.",
  inputs: [
    {
      name: "user",
      description: "the application user, by its name in the environment",
      pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
    },
  ],
  steps: [
    operationsHostReady,
    actionStep<OperationContext>({
      name: "check-credentials",
      what: "check the secret, its user on DocumentDB, and that no other renewal is open",
      undo: "nothing was changed",
      action: "check-credentials",
      parameters: (context) => ({ ...credentials(context), username: "-" }),
    }),
    actionStep<OperationContext>({
      name: "prepare-credentials",
      what: "keep a new password as a pending version of the secret",
      undo: "roundtrip runbook abandon-rotation with the account application:NAME",
      action: "prepare-credentials",
      parameters: (context) => ({ ...credentials(context), username: "-" }),
    }),
    actionStep<OperationContext>({
      name: "promote-credentials",
      what: "give the user the new password, log in with it, and make it the secret's current version",
      undo: "run it again: it makes another new password",
      action: "promote-credentials",
      parameters: (context) => ({ account: credentials(context).account, operation: context.operationId }),
    }),
    operationsHostAsBefore,
  ],
  next: "let the application read its secret anew: connections that are open stay, new ones need the new password",
};
