import { rotationChanges, usernamePattern } from "../../core/credentials/accounts.ts";
import type { Operation, OperationContext, Step } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { checkEndpoints, testEndpointsStep } from "../steps/endpoints.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import { checkSource, recordTasks, resumeTasks, stopTasks } from "../steps/task-movement.ts";
import { tasksMoving } from "../steps/tasks-moving.ts";

const account = "replication";

function credentials({ inputs, operationId }: OperationContext) {
  return {
    account,
    change: inputs.change ?? "",
    username: inputs.username ?? "-",
    operation: operationId,
  };
}

const promote = actionStep<OperationContext>({
  name: "promote-credentials",
  what: "log in with the pending credentials and make them the secret's current ones",
  undo: "roundtrip runbook abandon-rotation with give-up=current, then tasks-resume",
  action: "promote-credentials",
  parameters: ({ operationId }) => ({ account, operation: operationId }),
});

/** Whoever reads the summary must find the name that `remove-old-user` asks for. */
const promoteCredentials: Step<OperationContext> = {
  ...promote,
  run: async (context) => {
    const outcome = await promote.run(context);
    const { username = "", oldUsername } = (outcome.data ?? {}) as {
      username?: string;
      oldUsername?: string;
    };
    const old = oldUsername ? `${oldUsername} stays until remove-old-user` : "no old user to remove";
    return { ...outcome, note: `user ${username}; ${old}` };
  },
};

/**
 * Renews the user DMS writes with. The second user stands beside the first until `remove-old-user`, so there is no
 * moment in which neither can log in; DMS's tasks stand still while they change over, and lose nothing by it.
 */
export const rotateCredentials: Operation = {
  kind: "operation",
  name: "rotate-credentials",
  summary: "Renew the user and password, or the password alone, that DMS writes to DocumentDB with.",
  inputs: [
    {
      name: "change",
      description: "user-and-password makes a second user; password changes that of the user there is",
      pattern: new RegExp(`^(${rotationChanges.join("|")})$`),
    },
    {
      name: "username",
      description:
        "name of the second user; - for the one that takes turns with the user now (dms and dms_b)",
      pattern: new RegExp(usernamePattern),
      default: "-",
    },
  ],
  steps: [
    operationsHostReady,
    actionStep<OperationContext>({
      name: "check-credentials",
      what: "check the secret's keys, its user, the name of the second user, and that no other rotation is open",
      undo: "nothing was changed",
      action: "check-credentials",
      parameters: credentials,
    }),
    checkEndpoints,
    checkSource,
    recordTasks,
    actionStep<OperationContext>({
      name: "prepare-credentials",
      what: "keep new credentials as a pending version of the secret; make the second user and log in as it",
      undo: "roundtrip runbook abandon-rotation",
      action: "prepare-credentials",
      parameters: credentials,
    }),
    stopTasks,
    promoteCredentials,
    testEndpointsStep(["target"]),
    resumeTasks,
    tasksMoving,
    operationsHostAsBefore,
  ],
  next: "after change=user-and-password: once nobody uses the old user, remove-old-user with its name (step promote-credentials has it)",
};
