import { readJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { RoundtripError } from "../../core/errors.ts";
import { unusedChecks } from "../../core/replication/endpoint-checks.ts";
import type { Operation, OperationContext } from "../engine/runbook.ts";
import { actionStep } from "../steps/action-step.ts";
import { operationsHostAsBefore, operationsHostReady } from "../steps/operations-host.ts";
import { describeCalls, describeChosen, type OperationStep, required } from "../steps/selected-tasks.ts";

const account = "replication";

const checkUnused: OperationStep = {
  name: "check-unused",
  what: "see that no DMS endpoint names the old user, and that each running task has logged in since the rotation",
  undo: "nothing was changed",
  every: true,
  plan: (context) => [
    { call: "S3 GetObject", target: promotionKey(account) },
    ...describeCalls(context),
    { call: "DMS DescribeEndpoints", target: "all" },
  ],
  run: async (context) => {
    const username = context.inputs["old-username"] ?? "";
    const record = (await readJson<PromotionRecord>(context.store, promotionKey(account)))?.value;
    if (record?.oldUsername !== username || record.username === username) throw notOld(username, record);
    const tasks = await describeChosen(context);
    const links = await context.endpoints.links(tasks.map(({ arn }) => arn));
    const endpoints = await context.endpoints.list();
    const moving = tasks.filter(({ status }) => !["stopped", "failed", "ready"].includes(status));
    const runningArns = new Set(moving.map(({ arn }) => arn));
    const old = { username, secret: record.secret, promotedAt: new Date(record.promotedAt) };
    return { checks: required(unusedChecks({ endpoints, links, runningArns }, old)) };
  },
};

function notOld(username: string, record: PromotionRecord | undefined): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `remove user ${username}`,
    expected: "the user that a rotation of the replication user left behind",
    got: record
      ? `it left ${record.oldUsername ?? "none"}; the user now is ${record.username}`
      : "no rotation on record",
    wayOut: "name the old user as the rotation's summary shows it; other users are not Roundtrip's to remove",
  });
}

/** The last step of a rotation, apart from it: somebody names the user, after a while without it. */
export const removeOldUser: Operation = {
  kind: "operation",
  name: "remove-old-user",
  summary: "Remove the old user that a rotation of the replication user left on DocumentDB.",
  inputs: [
    {
      name: "old-username",
      description: "the user to remove, as the rotation's summary names it",
      pattern: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    },
  ],
  steps: [
    operationsHostReady,
    checkUnused,
    actionStep<OperationContext>({
      name: "remove-old-user",
      what: "see that nothing is connected as the old user, then remove it",
      undo: "create-user-db makes a user from the secret; the old credentials are gone for good",
      action: "remove-old-user",
      parameters: ({ inputs }) => ({ account, oldUsername: inputs["old-username"] ?? "" }),
    }),
    operationsHostAsBefore,
  ],
  next: "nothing",
};
