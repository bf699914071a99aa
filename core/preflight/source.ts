import { dataLines } from "./data.ts";
import { part, Question, some } from "./line.ts";
import type { DeclaredFacts, Fact, MongodbFacts, OplogFacts, PreflightLine } from "./model.ts";

const hoursMin = 24;
/** Below this the oplog's growth says nothing of its rate. */
const hoursToTell = 1;
const fullShare = 0.9;
const asked = "make MongoDB answer the host first (the line above), then run preflight again";

/** The lines about MongoDB: AWS DMS user guide, MongoDB as a source. */
export function sourceLines(fact: Fact<MongodbFacts>, declared: DeclaredFacts): PreflightLine[] {
  return [
    answers(fact),
    topology(fact),
    oplog(part(fact, (mongodb) => mongodb.oplog)),
    ...dmsUser(fact),
    roundtripUser(part(fact, (mongodb) => mongodb.lacking)),
    ...dataLines(
      part(fact, (mongodb) => mongodb.data),
      declared,
    ),
  ];
}

function answers(fact: Fact<MongodbFacts>): PreflightLine {
  const question = new Question("MongoDB", "answers the host", "a login as Roundtrip's user");
  if ("value" in fact)
    return question.ok(`version ${fact.value.version}${fact.value.tls ? ", with TLS" : ""}`);
  return question.failed(
    fact.unknown,
    "see that MongoDB runs, that routes and firewalls let the host's subnets reach its port, and that mongodb.secret holds its address, user and password",
  );
}

function topology(fact: Fact<MongodbFacts>): PreflightLine {
  const question = new Question("MongoDB", "is a replica set", "a replica set: DMS reads its change streams");
  return question.of(fact, asked, ({ topology }) => {
    if (topology === "replica-set") return question.ok("a replica set");
    const isSharded = topology === "sharded";
    return question.failed(
      isSharded ? "a sharded cluster, asked through mongos" : "a standalone server",
      isSharded
        ? "name the members of one shard's replica set in mongodb.secret; Roundtrip carries one replica set"
        : "restart mongod with --replSet (replication.replSetName), then run rs.initiate() once",
    );
  });
}

function oplog(fact: Fact<OplogFacts>): PreflightLine {
  const question = new Question(
    "MongoDB",
    "oplog window",
    `at least ${hoursMin} h: DMS must find where it stopped`,
  );
  const fix = `db.adminCommand({replSetResizeOplog: 1, minRetentionHours: ${hoursMin}}) on each member, or a larger size in MB`;
  return question.of(
    fact,
    `${asked}; Roundtrip's user needs to read local.oplog.rs (role backup or clusterMonitor)`,
    (found) => {
      const hours = found.windowSeconds / 3600;
      const share = found.bytesMax > 0 ? found.bytes / found.bytesMax : 1;
      const held = `holds ${hours.toFixed(1)} h, ${Math.round(share * 100)} % full`;
      if (found.retentionHours >= hoursMin)
        return question.ok(`keeps ${found.retentionHours} h whatever its size`);
      if (hours >= hoursMin) return question.ok(held);
      if (share >= fullShare) return question.failed(held, fix);
      if (hours < hoursToTell)
        return question.unknown(`${held}: too young to tell`, `run preflight again later, or: ${fix}`);
      const reach = hours / share;
      if (reach >= hoursMin) return question.ok(`${held}: about ${Math.round(reach)} h at this rate`);
      return question.failed(`${held}: about ${reach.toFixed(1)} h at this rate`, fix);
    },
  );
}

function dmsUser(fact: Fact<MongodbFacts>): PreflightLine[] {
  const user = part(fact, (mongodb) => mongodb.dmsUser);
  const unreadable = `${asked}; the source endpoint must name a user or a secret the operations host may read`;
  const privileges = new Question(
    "MongoDB",
    "privileges of the DMS user",
    "find and changeStream on every database",
  );
  const mechanism = new Question("MongoDB", "login of the DMS user", "SCRAM-SHA-1: DMS has no SCRAM-SHA-256");
  return [
    privileges.of(user, unreadable, ({ name, exists, lacking }) => {
      if (!exists) {
        const create = `db.getSiblingDB("admin").createUser({user: "${name}", pwd: passwordPrompt(), roles: ["readAnyDatabase"], mechanisms: ["SCRAM-SHA-1", "SCRAM-SHA-256"]})`;
        return privileges.failed(`no user ${name}`, create);
      }
      if (lacking.length === 0) return privileges.ok(`${name} holds both`);
      const grant = `db.getSiblingDB("admin").grantRolesToUser("${name}", ["readAnyDatabase"])`;
      return privileges.failed(`${name} lacks ${lacking.join(" and ")} on every database`, grant);
    }),
    mechanism.of(user, unreadable, ({ name, exists, mechanisms, login }) => {
      if (!exists) return mechanism.unknown(`no user ${name}`, "create it first (the line above)");
      const again = `db.getSiblingDB("admin").updateUser("${name}", {mechanisms: ["SCRAM-SHA-1", "SCRAM-SHA-256"], pwd: passwordPrompt()}) with the password of its secret`;
      if (!mechanisms.includes("SCRAM-SHA-1"))
        return mechanism.failed(`${name} has ${some(mechanisms)} only`, again);
      if (login === "refused") {
        return mechanism.failed(
          `MongoDB refuses ${name} with the password of its secret`,
          "write the right password into the secret the source endpoint names, or set it on the server",
        );
      }
      if (login === "accepted") return mechanism.ok(`${name} logs in`);
      return mechanism.ok(
        `${name} has SCRAM-SHA-1; its password was not tried: the endpoint names no secret`,
      );
    }),
  ];
}

function roundtripUser(fact: Fact<readonly string[]>): PreflightLine {
  const question = new Question(
    "MongoDB",
    "privileges of Roundtrip's user",
    "to dump, close, apply and reopen",
  );
  return question.of(fact, asked, (lacking) => {
    if (lacking.length === 0) return question.ok("all there");
    return question.failed(
      `missing: ${some(lacking)}`,
      "grant it backup, restore, clusterManager, clusterMonitor, hostManager, userAdminAnyDatabase, readWriteAnyDatabase and dbAdminAnyDatabase on admin",
    );
  });
}
