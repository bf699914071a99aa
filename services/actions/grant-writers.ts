import { readJson } from "../../adapters/state/json.ts";
import type { ActionResult, Check } from "../../core/failback/documents.ts";
import { environmentNow } from "../access/current-users.ts";
import { documentdbDemotion } from "../access/documentdb-demotion.ts";
import { grantWriters } from "../access/grant.ts";
import { surveyDocumentdb, unlistedChecks } from "../access/survey.ts";
import { type Action, type ActionContext, check, passed } from "./action.ts";
import { replicationChecks } from "./replication-checks.ts";

/** Gives the application users their writes; only after capture was proved by a canary and while it runs (invariants.md 5). */
export const run: Action = async (context) => {
  const { service, failback, databases, parameter } = context;
  const { access } = await databases.open("documentdb");
  const { scope } = failback;
  const survey = await surveyDocumentdb(access, await environmentNow(service), scope);
  const before: Check[] = [
    await canaryCheck(context),
    ...(await replicationChecks(context)),
    ...unlistedChecks(survey),
    ...scope.applicationUsers
      .filter(({ name }) => survey.missing.includes(name))
      .map(({ name }) =>
        check(`application user ${name}`, false, {
          expected: `user ${name} on DocumentDB`,
          got: "no such user",
          wayOut: `create user ${name} on DocumentDB`,
        }),
      ),
  ];
  if (before.some(({ ok }) => !ok)) return { checks: before, data: {} };
  const { openConnections } = documentdbDemotion(service, access, scope);
  const allowRemove = parameter("allow-remove") === "true";
  const granted = await grantWriters({ service, access, openConnections, scope, survey, allowRemove });
  return {
    checks: [
      ...before,
      ...granted.map(({ user, afterMs }) =>
        passed(`application user ${user} writes`, "a write allowed", `allowed after ${afterMs} ms`),
      ),
    ],
    data: { granted, allowRemove },
  };
};

async function canaryCheck({ service, failback }: ActionContext): Promise<Check> {
  const canary = (await readJson<ActionResult>(service.store, failback.keys.action("canary")))?.value;
  return check("capture was proved", canary?.ok === true, {
    expected: "a canary of this failback found in the log",
    got: canary
      ? `the last one, of ${canary.at}, ${canary.ok ? "was found" : "was not found"}`
      : "no canary yet",
    wayOut: "run canary first; application users get no writes before capture is proved",
  });
}
