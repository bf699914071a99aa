import { readCatalog } from "../../adapters/mongo/catalog.ts";
import { connect } from "../../adapters/mongo/connect.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { rolesInWords } from "../../core/access/writers.ts";
import { missingUniqueIndexes } from "../../core/catalog/unique-indexes.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Catalog, Check, MongodbIdentity } from "../../core/failback/documents.ts";
import { identityKey } from "../../core/failback/layout.ts";
import { environmentNow } from "../access/current-users.ts";
import { listedWriters, scopeDatabases, surveyDocumentdb, unlistedChecks } from "../access/survey.ts";
import { type Action, type ActionContext, check, passed } from "./action.ts";
import { attempt } from "./attempt.ts";
import { retentionCheck } from "./retention-check.ts";

const mongodbProbeMs = 2000;

/** What must hold before a failback starts, each thing by itself (invariants.md 2, 6). Changes nothing on a database. */
export const run: Action = async (context) => {
  const checks: Check[] = [];
  // A server that is away takes its time to show it: asked beside everything else.
  const [catalog, bucket, secrets, mongodb] = await Promise.all([
    readDocumentdb(context, checks),
    bucketChecks(context),
    secretChecks(context),
    mongodbIsAway(context),
  ]);
  checks.push(...bucket, ...secrets, ...mongodb, retentionCheck(context.service.environment));
  checks.push(...(await indexChecks(context, catalog)));
  return { checks, data: { force: context.parameter("force") } };
};

async function readDocumentdb(context: ActionContext, checks: Check[]): Promise<Catalog | undefined> {
  const { service, failback, databases } = context;
  const names = scopeDatabases(failback.scope);
  let catalog: Catalog | undefined;
  checks.push(
    ...(await attempt("DocumentDB answers", "an authenticated connection", async () => {
      const { client, failure } = await databases.open("documentdb");
      try {
        catalog = await readCatalog(client, names, service.clock.now());
      } catch (error) {
        throw failure(error, "read the catalog");
      }
      await writeJson(service.store, failback.keys.catalog("documentdb-start"), catalog);
      return `${catalog.collections.length} collections in ${names.join(", ")}`;
    })),
  );
  if (catalog) {
    checks.push(...(await attempt("users on DocumentDB", "known users only", () => userChecks(context))));
  }
  return catalog;
}

async function userChecks(context: ActionContext): Promise<Check[]> {
  const { databases, failback, service } = context;
  const { access } = await databases.open("documentdb");
  const survey = await surveyDocumentdb(access, await environmentNow(service), failback.scope);
  const forced = context.parameter("force") !== "-";
  const checks = failback.scope.applicationUsers.map(({ name }) => {
    const writer = survey.listed.find(({ principal }) => principal.user === name);
    if (survey.missing.includes(name)) {
      return check(`application user ${name}`, false, {
        expected: `user ${name} on DocumentDB`,
        got: "no such user",
        wayOut: `create user ${name} on DocumentDB, or correct its name in the environment's document`,
      });
    }
    return check(`application user ${name}`, !writer || forced, {
      expected: "no write right before capture runs",
      got: writer ? `can write through ${rolesInWords(writer.through)}` : "reads only",
      wayOut:
        "make the user read-only; what it may have written is not captured: start with --force and the reason, and the verdict will compare everything",
    });
  });
  return [...checks, ...unlistedChecks(survey)];
}

async function bucketChecks({ service, failback }: ActionContext): Promise<readonly Check[]> {
  return attempt(
    `bucket ${service.environment.bucket}`,
    "writes and reads below the failback's prefix",
    async () => {
      const key = `${failback.keys.root}probe.json`;
      const written = { run: service.run };
      await writeJson(service.store, key, written);
      const read = await readJson<typeof written>(service.store, key);
      await service.store.delete([key]);
      if (read?.value.run === service.run) return "written, read and deleted";
      throw new RoundtripError({
        kind: "unavailable",
        what: `read back ${key}`,
        expected: "what was written just before",
        got: read ? "something else" : "nothing",
        wayOut: "see that nothing else works below this prefix and that the bucket is S3",
      });
    },
  );
}

async function secretChecks({ service, failback }: ActionContext): Promise<Check[]> {
  const { documentdb, mongodb } = service.environment;
  const writers = listedWriters(await environmentNow(service), failback.scope).map(({ secret }) => secret);
  const names = [...new Set([documentdb.secret, mongodb.secret, ...writers])];
  const checks: Check[] = [];
  for (const name of names) {
    const found = await attempt(`secret ${name}`, "can be read", async () => {
      const fields = Object.keys(await service.secrets.get(name));
      return `has ${fields.length} fields`;
    });
    checks.push(...found);
  }
  return checks;
}

/** A MongoDB that answers is no reason to switch; credentials it refuses are an answer, too. */
async function mongodbIsAway(context: ActionContext): Promise<readonly Check[]> {
  const { secret: secretName } = context.service.environment.mongodb;
  const force = context.parameter("force");
  return attempt("MongoDB is away", "unreachable, or --force with a reason", async () => {
    const answer = await probeMongodb(context, secretName);
    if (!answer) return "unreachable";
    return check("MongoDB is away", force !== "-", {
      expected: "unreachable, or --force with a reason",
      got: force === "-" ? answer : `${answer}; forced: ${force}`,
      wayOut: "stay on MongoDB; when it must be left all the same, start with --force and the reason",
    });
  });
}

async function probeMongodb({ service }: ActionContext, secretName: string): Promise<string | undefined> {
  const secret = await service.secrets.get(secretName);
  try {
    const client = await connect(secret, {
      server: "MongoDB",
      secretName,
      appName: "roundtrip-check-start",
      serverSelectionTimeoutMs: mongodbProbeMs,
    });
    await client.close();
    return "MongoDB answers";
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "unavailable") return undefined;
    if (error instanceof RoundtripError && error.kind === "denied") {
      return "MongoDB answers, and refuses the credentials";
    }
    throw error;
  }
}

async function indexChecks(
  { service, failback, parameter }: ActionContext,
  catalog: Catalog | undefined,
): Promise<readonly Check[]> {
  if (!catalog) return [];
  return attempt("unique indexes", "each one of MongoDB on DocumentDB", async () => {
    const identity = (await readJson<MongodbIdentity>(service.store, identityKey))?.value;
    if (!identity) {
      const force = parameter("force");
      return check("identity of MongoDB recorded in normal times", force !== "-", {
        expected: identityKey,
        got: force === "-" ? "no such object" : `no such object; forced: ${force}`,
        wayOut:
          "run record-identity while MongoDB answers; when it no longer does, start with --force: the restore will then refuse until the identity is known",
      });
    }
    const missing = missingUniqueIndexes(identity.catalog, catalog, failback.scope);
    if (missing.length === 0)
      return passed("unique indexes", "each one of MongoDB on DocumentDB", "all there");
    return missing.map(({ namespace, key }) =>
      check(`unique index of ${namespace}`, false, {
        expected: `a unique index on ${key} on DocumentDB`,
        got: "none",
        wayOut: `create it: createIndex(${key}, {unique: true}) on ${namespace}`,
      }),
    );
  });
}
