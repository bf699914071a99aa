import { environmentNow } from "../access/current-users.ts";
import { demoteUsers } from "../access/demote.ts";
import { documentdbDemotion } from "../access/documentdb-demotion.ts";
import { listedWriters, scopeDatabases, surveyDocumentdb, unlistedChecks } from "../access/survey.ts";
import { type Action, check, passed } from "./action.ts";

/**
 * Takes write rights from every listed user on DocumentDB and proves each refusal; an unlisted one stops it by name
 * before anything is changed (invariants.md 1, 2). Old roles go to `roles.json` first.
 */
export const run: Action = async ({ service, failback, databases }) => {
  const environment = await environmentNow(service);
  const { scope } = failback;
  const { access } = await databases.open("documentdb");
  const before = await surveyDocumentdb(access, environment, scope);
  const unknown = scope.applicationUsers
    .filter(({ name }) => before.missing.includes(name))
    .map(({ name }) =>
      check(`application user ${name}`, false, {
        expected: `user ${name} on DocumentDB`,
        got: "no such user",
        wayOut: `create user ${name}, or abort and start again with the right name`,
      }),
    );
  const unlisted = unlistedChecks(before);
  if ([...unlisted, ...unknown].some(({ ok }) => !ok)) return { checks: [...unlisted, ...unknown], data: {} };

  const names = scopeDatabases(scope);
  const users = listedWriters(environment, scope);
  const refusals = await demoteUsers(documentdbDemotion(service, access, scope), before, users, names);
  const after = await surveyDocumentdb(access, environment, scope);
  return {
    checks: [
      ...unlisted,
      ...refusals.map(({ user, afterMs }) =>
        passed(
          `user ${user} is refused`,
          "no write on connections opened before",
          `refused after ${afterMs} ms`,
        ),
      ),
      check("nobody but administrators can write", after.listed.length === 0, {
        expected: "no listed user with a writing role",
        got: after.listed.map(({ principal }) => principal.user).join(", ") || "none",
        wayOut: "something gave the roles back: find it, stop it, and run the step again",
      }),
    ],
    data: {
      demoted: before.listed.map(({ principal }) => principal.user),
      administrators: before.administrators.map(({ principal }) => principal.user),
      absent: before.missing,
      refusals,
    },
  };
};
