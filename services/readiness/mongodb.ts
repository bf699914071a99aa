import { oplogWindow, replicaSetIdentity } from "../../adapters/mongo/replica-set.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import type { MongodbIdentity } from "../../core/failback/documents.ts";
import { type FoundMongodb, sameMongodb } from "../../core/failback/identity.ts";
import { identityKey } from "../../core/failback/layout.ts";
import { type Fact, fact } from "../../core/readiness/model.ts";
import type { Server } from "../access/databases.ts";
import type { ActionContext } from "../actions/action.ts";
import { expectedPrivileges, privilegeChecks, privilegesName } from "../actions/mongodb-privileges.ts";
import { readIdentity } from "../actions/record-identity.ts";
import { factOf, findOut } from "./facts.ts";

/** AWS's advice for the source of DMS; a stop longer than the oplog reaches back means loading everything again. */
const oplogSecondsAdvised = 24 * 3600;
const answerMs = 5000;

export interface MongodbFacts {
  readonly facts: readonly Fact[];
  readonly oplog?: FoundMongodb["oplog"];
  /** Who MongoDB is, as it is on record now. */
  readonly identity?: MongodbIdentity;
}

/**
 * MongoDB answers, is the one on record, and lets Roundtrip's user do its part. In phase `normal` the record is
 * refreshed while it is the same set, so that a failback's own check compares with yesterday, not with last year.
 */
export async function mongodbFacts(
  context: ActionContext,
  databases: readonly string[],
): Promise<MongodbFacts> {
  let found: { server: Server; mongodb: FoundMongodb } | undefined;
  const limit = "an authenticated connection to its primary, and its oplog";
  const answers = await findOut(
    "MongoDB answers",
    limit,
    async () => {
      const server = await context.databases.open("mongodb", { serverSelectionTimeoutMs: answerMs });
      const mongodb = await read(server);
      found = { server, mongodb };
      return fact("MongoDB answers", true, { limit, value: `set ${mongodb.setName}`, wayOut: "" });
    },
    ["unavailable", "denied", "configuration"],
  );
  const recorded = (await readJson<MongodbIdentity>(context.service.store, identityKey))?.value;
  if (!found) return { facts: answers, ...(recorded ? { identity: recorded } : {}) };
  const { server, mongodb } = found;
  const identity = await identityFacts(context, { server, mongodb, recorded, databases });
  const privileges = await findOut(privilegesName, expectedPrivileges, async () =>
    (await privilegeChecks(server, databases)).map(factOf),
  );
  return {
    facts: [...answers, ...identity.facts, oplogFact(mongodb.oplog), ...privileges],
    oplog: mongodb.oplog,
    ...(identity.identity ? { identity: identity.identity } : {}),
  };
}

async function read(server: Server): Promise<FoundMongodb> {
  try {
    return { ...(await replicaSetIdentity(server.client)), oplog: await oplogWindow(server.client) };
  } catch (error) {
    throw server.failure(error, "read who it is");
  }
}

async function identityFacts(
  context: ActionContext,
  of: {
    server: Server;
    mongodb: FoundMongodb;
    recorded: MongodbIdentity | undefined;
    databases: readonly string[];
  },
): Promise<{ facts: readonly Fact[]; identity?: MongodbIdentity }> {
  const { store, phaseStore, clock } = context.service;
  const same = of.recorded ? sameMongodb(of.recorded, of.mongodb).map(factOf) : [];
  const isSame = same.every(({ state }) => state === "holds");
  const { phase } = await phaseStore.read();
  if (!isSame || phase !== "normal")
    return {
      facts: [...same, recordFact(of.recorded, of.recorded ? `recorded ${of.recorded.recordedAt}` : "")],
      ...(of.recorded ? { identity: of.recorded } : {}),
    };
  let identity = of.recorded;
  const refreshed = await findOut(
    "identity of MongoDB on record",
    `${identityKey}, refreshed now`,
    async () => {
      identity = await readIdentity(of.server, of.databases, clock.now());
      await writeJson(store, identityKey, identity);
      return recordFact(identity, "refreshed now");
    },
  );
  return { facts: [...same, ...refreshed], ...(identity ? { identity } : {}) };
}

function recordFact(recorded: MongodbIdentity | undefined, when: string): Fact {
  return fact("identity of MongoDB on record", recorded !== undefined, {
    limit: `${identityKey}, which a restore compares with`,
    value: recorded ? `set ${recorded.setName}, ${when}` : "no such object",
    wayOut: "run readiness while MongoDB answers and no failback is open: it records the identity",
  });
}

function oplogFact({ first, last }: FoundMongodb["oplog"]): Fact {
  const seconds = last.t - first.t;
  return {
    ...fact("oplog of MongoDB", seconds >= oplogSecondsAdvised, {
      limit: `${oplogSecondsAdvised / 3600} h, the advice for a source of DMS`,
      value: `${(seconds / 3600).toFixed(1)} h`,
      wayOut: "make it larger (replSetResizeOplog); a new set's oplog grows by itself",
    }),
    decides: false,
  };
}
