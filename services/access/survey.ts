import type { AccessControl } from "../../core/access/ports.ts";
import type { CustomRole, Principal } from "../../core/access/principal.ts";
import { rolesInWords, surveyWriters, type Writer, type WriterSurvey } from "../../core/access/writers.ts";
import type { Check, Environment, NamedUser, Scope } from "../../core/failback/documents.ts";

export interface Survey extends WriterSurvey {
  readonly principals: readonly Principal[];
  readonly customRoles: readonly CustomRole[];
}

export function scopeDatabases(scope: Scope): string[] {
  return scope.databases.map((database) => database.name);
}

/** Everyone the environment names as a writer on DocumentDB, with the secret to prove the refusal with. */
export function listedWriters(environment: Environment, scope: Scope): NamedUser[] {
  const { replicationUser, otherWriters } = environment.documentdb;
  const listed = new Map<string, NamedUser>();
  // The frozen scope wins over a document that changed since.
  for (const user of [...environment.documentdb.applicationUsers, ...scope.applicationUsers]) {
    listed.set(user.name, user);
  }
  for (const user of [replicationUser, ...otherWriters])
    if (!listed.has(user.name)) listed.set(user.name, user);
  return [...listed.values()];
}

/** Who can write in scope on DocumentDB, sorted by who is allowed to know of it (invariants.md 1). */
export async function surveyDocumentdb(
  access: AccessControl,
  environment: Environment,
  scope: Scope,
): Promise<Survey> {
  const [principals, customRoles] = [await access.principals(), await access.customRoles()];
  const survey = surveyWriters({
    principals,
    customRoles,
    databases: scopeDatabases(scope),
    listed: listedWriters(environment, scope).map((user) => user.name),
    administrators: environment.documentdb.administrators,
  });
  return { ...survey, principals, customRoles };
}

/** Fails by name for every principal that can write and that nobody listed. */
export function unlistedChecks(survey: WriterSurvey): Check[] {
  if (survey.unlisted.length === 0) {
    return [
      {
        name: "no unlisted writer on DocumentDB",
        ok: true,
        expected: "only listed users and administrators can write in scope",
        got: `administrators: ${namesOf(survey.administrators)}`,
      },
    ];
  }
  return survey.unlisted.map(({ principal, through }) => ({
    name: `user ${principal.user} is listed`,
    ok: false,
    expected: "every user that can write in scope named in the environment's document",
    got: `${principal.user} can write through ${rolesInWords(through)} and is named nowhere`,
    wayOut: `name ${principal.user} under otherWriters (with its secret) or administrators, or take the role away`,
  }));
}

function namesOf(writers: readonly Writer[]): string {
  return writers.map((writer) => writer.principal.user).join(", ") || "none";
}
