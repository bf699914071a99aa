import { accountPattern } from "../../core/credentials/accounts.ts";
import { giveUpOperation, type OpenOperation } from "../engine/operation.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";

function operationNameOf(account: string): string {
  return account === "replication" ? "rotate-credentials" : "renew-application-user";
}

/** The rotation's journal must not be gone on with: its next run begins anew. */
const closeRotation: OperationStep = {
  name: "close-rotation",
  what: "close the rotation's journal, so that the next one begins anew",
  undo: "nothing to undo",
  plan: ({ inputs }) => [
    {
      call: "S3 PutObject If-Match",
      target: `operations/open/${operationNameOf(inputs.account ?? "")}.json`,
    },
  ],
  run: async ({ store, inputs }) => {
    const { account = "" } = inputs;
    const user = account.replace(/^application:/, "");
    const isIts = (operation: OpenOperation) => account === "replication" || operation.inputs.user === user;
    const closed = await giveUpOperation({ store }, operationNameOf(account), isIts);
    return { note: closed ? `${closed.operationId} closed` : "none was open" };
  },
};

/** The way out of a rotation that can't be finished, or whose new credentials don't do. */
export const abandonRotation: Operation = {
  kind: "operation",
  name: "abandon-rotation",
  summary: "Give up a rotation: what is pending, or go back from what was promoted.",
  inputs: [
    {
      name: "account",
      description: "replication, or application:NAME",
      pattern: new RegExp(accountPattern),
      default: "replication",
    },
    {
      name: "give-up",
      description:
        "pending: credentials never promoted; current: back to the ones before, while their user is there",
      pattern: /^(pending|current)$/,
      default: "pending",
    },
  ],
  steps: [
    operationsHostReady,
    actionStep<OperationContext>({
      name: "abandon-credentials",
      what: "take the pending credentials and their second user away, or make the version before the current one",
      undo: "rotate again",
      action: "abandon-credentials",
      parameters: ({ inputs }) => ({
        account: inputs.account ?? "",
        giveUp: inputs["give-up"] ?? "",
      }),
    }),
    closeRotation,
    operationsHostAsBefore,
  ],
  next: "tasks-resume, where the rotation had stopped tasks; after give-up=current tasks-pause and tasks-resume, then remove-old-user for the user given up",
};
