import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { rolesInWords } from "../../core/access/writers.ts";
import { missingUniqueIndexes } from "../../core/catalog/unique-indexes.ts";
import type { Catalog, MongodbIdentity, Scope } from "../../core/failback/documents.ts";
import { counted } from "../../core/plan/words.ts";
import { type Fact, fact, unknownFact } from "../../core/readiness/model.ts";
import { environmentNow } from "../access/current-users.ts";
import { surveyDocumentdb, unlistedChecks } from "../access/survey.ts";
import type { ActionContext } from "../actions/action.ts";
import { factOf, findOut, together } from "./facts.ts";

const answerMs = 5000;
const listedMax = 20;

/** DocumentDB answers, has MongoDB's unique indexes, and its users are as a start wants them. */
export async function documentdbFacts(
  context: ActionContext,
  databases: readonly string[],
  identity: MongodbIdentity | undefined,
): Promise<readonly Fact[]> {
  let catalog: Catalog | undefined;
  const limit = "an authenticated connection";
  const answers = await findOut(
    "DocumentDB answers",
    limit,
    async () => {
      const { client, failure } = await context.databases.open("documentdb", {
        serverSelectionTimeoutMs: answerMs,
      });
      catalog = await readCatalog(client, databases, context.service.clock.now()).catch((error: unknown) => {
        throw failure(error, "read the catalog");
      });
      const value = `${counted(catalog.collections.length, "collection")} in ${counted(databases.length, "database")}`;
      return fact("DocumentDB answers", true, { limit, value, wayOut: "" });
    },
    ["unavailable", "denied", "configuration"],
  );
  if (!catalog) return answers;
  const users = await findOut("users on DocumentDB", "as a start wants them", () =>
    userFacts(context, databases),
  );
  return [...answers, ...users, ...indexFacts(identity, catalog)];
}

/** A scope as a start would freeze it, as far as users are concerned. */
function scopeOf({ service }: ActionContext, databases: readonly string[]): Scope {
  const { environment } = service;
  return {
    version: 1,
    failbackId: "",
    environment: environment.environment,
    commit: "",
    openedAt: "",
    databases: databases.map((name) => ({ name, collections: [] })),
    applicationUsers: environment.documentdb.applicationUsers,
  };
}

async function userFacts(context: ActionContext, databases: readonly string[]): Promise<Fact[]> {
  const { environment } = context.service;
  const { access } = await context.databases.open("documentdb");
  const now = await environmentNow(context.service);
  const survey = await surveyDocumentdb(access, now, scopeOf(context, databases));
  const { phase } = await context.service.phaseStore.read();
  const present = environment.documentdb.applicationUsers.map(({ name }) => {
    const writer = survey.listed.find(({ principal }) => principal.user === name);
    const missing = survey.missing.includes(name);
    const writes = writer && phase === "normal";
    return fact(`application user ${name}`, !missing && !writes, {
      limit: "on DocumentDB, and without the right to write until capture runs",
      value: missing
        ? "no such user"
        : writer
          ? `can write through ${rolesInWords(writer.through)}`
          : "reads only",
      wayOut: missing
        ? `create user ${name} on DocumentDB, or correct its name in the environment's document`
        : "make the user read-only on DocumentDB: failback-start refuses as it is",
    });
  });
  return [
    ...together(
      "application users",
      "on DocumentDB, and without the right to write until capture runs",
      present,
    ),
    ...unlistedChecks(survey).map(factOf),
  ];
}

/** Of the collections that are on DocumentDB; one that isn't is drift's matter. */
function indexFacts(identity: MongodbIdentity | undefined, catalog: Catalog): Fact[] {
  const name = "unique indexes on DocumentDB";
  const limit = "each unique index of MongoDB";
  if (!identity)
    return [unknownFact(name, limit, "MongoDB's are not on record", "record the identity of MongoDB first")];
  const databases = [...new Set(catalog.collections.map(({ database }) => database))].map((database) => ({
    name: database,
    collections: catalog.collections.filter((each) => each.database === database).map((each) => each.name),
  }));
  const missing = missingUniqueIndexes(identity.catalog, catalog, { databases });
  const shown = missing.slice(0, listedMax).map(({ namespace, key }) => `${namespace} ${key}`);
  const more = missing.length > listedMax ? ` and ${missing.length - listedMax} more` : "";
  return [
    fact(name, missing.length === 0, {
      limit,
      value: missing.length === 0 ? "all there" : `missing: ${shown.join(", ")}${more}`,
      wayOut:
        "create them on DocumentDB with createIndex(…, {unique: true}): without them it takes documents MongoDB refuses",
    }),
  ];
}
