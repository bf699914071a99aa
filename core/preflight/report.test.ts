import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import schema from "../../schemas/preflight.schema.json";
import factsSchema from "../../schemas/preflight-facts.schema.json";
import type { RunnerFacts } from "./aws.ts";
import type {
  Area,
  DeclaredFacts,
  DmsEndpointFacts,
  DmsFacts,
  DocumentdbFacts,
  LineState,
  MongodbFacts,
  OplogFacts,
} from "./model.ts";
import { type PreflightFacts, preflightReport, renderPreflight } from "./report.ts";
import { readyDms, readyDocumentdb, readyFacts, readyHost, readyMongodb } from "./testing.ts";

const ajv = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false });
addFormats(ajv);
const validate = ajv.compile(schema);

const mongodb = (change: Partial<MongodbFacts>): PreflightFacts => ({
  ...readyFacts,
  host: { value: { ...readyHost, mongodb: { value: { ...readyMongodb, ...change } } } },
});
const oplog = (change: Partial<OplogFacts>) =>
  mongodb({ oplog: { value: { windowSeconds: 0, bytes: 0, bytesMax: 100, retentionHours: 0, ...change } } });
const documentdb = (change: Partial<DocumentdbFacts>): PreflightFacts => ({
  ...readyFacts,
  host: { value: { ...readyHost, documentdb: { value: { ...readyDocumentdb, ...change } } } },
});
const dms = (change: Partial<DmsFacts>): PreflightFacts => ({
  ...readyFacts,
  dms: { value: { ...readyDms, ...change } },
});
const instance = (change: Partial<DmsFacts["instances"][number]>) =>
  dms({ instances: [{ ...readyDms.instances[0]!, ...change }] });
const source = (change: Partial<DmsEndpointFacts>) =>
  dms({ endpoints: [{ ...readyDms.endpoints[0]!, ...change }, readyDms.endpoints[1]!] });
const declared = (change: Partial<DeclaredFacts>, facts = readyFacts): PreflightFacts => ({
  ...facts,
  declared: { ...facts.declared, ...change },
});
const runner = (change: Partial<RunnerFacts>): PreflightFacts => ({
  ...readyFacts,
  runner: { ...readyFacts.runner, ...change },
});
const manyTasks = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `other-${index}`,
    instanceArn: "rep-1",
    endpointArns: [],
  }));

/** Each fact broken once: the line that says so, how it stands, and words of its fix. */
const broken: readonly (readonly [PreflightFacts, Area, string, LineState, RegExp, RegExp])[] = [
  [
    runner({ environment: { unknown: "no such parameter" } }),
    "AWS",
    "environment is published",
    "failed",
    /no such parameter/,
    /apply the stack/,
  ],
  [
    runner({ bucket: { unknown: "denied" } }),
    "AWS",
    "bucket",
    "failed",
    /denied/,
    /list and read the bucket/,
  ],
  [
    runner({ instance: { value: "stopped" } }),
    "AWS",
    "operations host",
    "failed",
    /stopped/,
    /start the instance/,
  ],
  [
    runner({ createUserDb: { unknown: "none named" } }),
    "AWS",
    "create-user-db",
    "unknown",
    /none named/,
    /createUserDbFunction/,
  ],
  [
    runner({ createUserDb: { value: { name: "f", failure: "master secret m has no password" } } }),
    "AWS",
    "create-user-db",
    "failed",
    /no password/,
    /docs\/create-user-db.md/,
  ],
  [
    { ...readyFacts, host: { unknown: "undeliverable" } },
    "host",
    "answers through SSM",
    "failed",
    /undeliverable/,
    /ssmmessages/,
  ],
  [mongodb({ topology: "standalone" }), "MongoDB", "is a replica set", "failed", /standalone/, /rs.initiate/],
  [mongodb({ topology: "sharded" }), "MongoDB", "is a replica set", "failed", /mongos/, /one replica set/],
  [
    oplog({ windowSeconds: 5 * 3600, bytes: 99 }),
    "MongoDB",
    "oplog window",
    "failed",
    /5.0 h, 99 % full/,
    /replSetResizeOplog/,
  ],
  [
    oplog({ windowSeconds: 22.5 * 3600, bytes: 91 }),
    "MongoDB",
    "oplog window",
    "failed",
    /22.5 h, 91 % full$/,
    /replSetResizeOplog/,
  ],
  [
    oplog({ windowSeconds: 2 * 3600, bytes: 50 }),
    "MongoDB",
    "oplog window",
    "failed",
    /about 4.0 h/,
    /minRetentionHours: 24/,
  ],
  [oplog({ windowSeconds: 600, bytes: 1 }), "MongoDB", "oplog window", "unknown", /too young/, /later/],
  [
    mongodb({ oplog: { unknown: "code 13" } }),
    "MongoDB",
    "oplog window",
    "unknown",
    /code 13/,
    /read local.oplog.rs/,
  ],
  [mongodb({ version: "7.0.0" }), "DMS", "reads this MongoDB", "ok", /7.0.0/, /^$/],
  [
    { ...mongodb({ version: "8.0.1" }), dms: instance({ engineVersion: "3.5.3" }).dms },
    "DMS",
    "reads this MongoDB",
    "failed",
    /MongoDB 8.0.1, DMS 3.5.3/,
    /3.5.4 or newer/,
  ],
  [mongodb({ version: "9.0.0" }), "DMS", "reads this MongoDB", "unknown", /newer than/, /user guide/],
  [
    instance({ engineVersion: "3.5.2" }),
    "DMS",
    "replication instance",
    "failed",
    /no longer supported/,
    /3.6.1/,
  ],
  [
    instance({ engineVersion: "3.4.7" }),
    "DMS",
    "replication instance",
    "failed",
    /no longer supported/,
    /3.6.1/,
  ],
  [instance({ engineVersion: "3.5.4" }), "DMS", "replication instance", "note", /until 2027-03-31/, /3.6.1/],
  [instance({ status: "modifying" }), "DMS", "replication instance", "failed", /modifying/, /wait/],
  [dms({ instances: [] }), "DMS", "replication instance", "unknown", /none/, /apply the stack/],
  [
    dms({ tasks: [...readyDms.tasks, ...manyTasks(200)] }),
    "DMS",
    "quota of tasks",
    "failed",
    /201 of 200 \(instance/,
    /fewer tasks/,
  ],
  [
    dms({ quotas: [{ name: "ReplicationTasks", used: 9, max: 8 }] }),
    "DMS",
    "quota of tasks",
    "failed",
    /9 of 8 \(account\)/,
    /Service Quotas/,
  ],
  [
    declared({ databases: Array.from({ length: 100 }, (_, index) => `d${index}`) }),
    "DMS",
    "quota of endpoints",
    "failed",
    /101 of 100/,
    /second replication instance/,
  ],
  [
    source({ nestingLevel: "one" }),
    "DMS",
    "source endpoint",
    "failed",
    /nesting level one/,
    /MongoDbSettings/,
  ],
  [source({ extractDocId: "false" }), "DMS", "source endpoint", "failed", /ExtractDocId/, /MongoDbSettings/],
  [
    source({ authMechanism: "mongodb_cr" }),
    "DMS",
    "source endpoint",
    "failed",
    /mongodb_cr/,
    /MongoDbSettings/,
  ],
  [dms({ endpoints: [] }), "DMS", "source endpoint", "unknown", /none/, /apply the stack/],
  [
    { ...readyFacts, dms: { unknown: "AccessDenied" } },
    "DMS",
    "quota of tasks",
    "unknown",
    /AccessDenied/,
    /dms:Describe/,
  ],
  [documentdb({ version: "3.6.0" }), "DocumentDB", "engine version", "failed", /3.6.0/, /upgrade/],
  [documentdb({ version: "4.0.0" }), "DocumentDB", "engine version", "note", /writer alone/, /5.0/],
  [
    documentdb({ tls: false }),
    "DocumentDB",
    "TLS",
    "failed",
    /off for the host, on for the endpoints documentdb-shop/,
    /documentdb.secret/,
  ],
  [
    dms({ endpoints: readyDms.endpoints.map((each) => ({ ...each, tls: false })) }),
    "DocumentDB",
    "TLS",
    "failed",
    /on for the host, off for the endpoints/,
    /verify-full/,
  ],
  [
    documentdb({ roles: [{ role: "readAnyDatabase", db: "admin" }] }),
    "DocumentDB",
    "privileges of Roundtrip's user",
    "failed",
    /modifyChangeStreams/,
    /grantRolesToUser/,
  ],
  [
    documentdb({ roles: [{ role: "our-own", db: "admin" }] }),
    "DocumentDB",
    "privileges of Roundtrip's user",
    "unknown",
    /may be in our-own/,
    /custom roles/,
  ],
  [
    declared({ namespaces: [`shop.${"c".repeat(58)}`] }, documentdb({ version: "4.0.0" })),
    "DocumentDB",
    "names of collections",
    "failed",
    /too long for 4.0.0/,
    /5.0/,
  ],
];

describe("preflight", () => {
  test("an environment in which nothing is missing is ready, each line ok and without a fix", () => {
    const report = preflightReport(readyFacts);
    expect(report.lines.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(report.verdict).toBe("ready");
    expect(report.lines.length).toBeGreaterThan(28);
    expect(validate(report)).toBe(true);
    expect(new Set(report.lines.map(({ area, name }) => `${area} ${name}`)).size).toBe(report.lines.length);
  });

  for (const [facts, area, name, state, got, fix] of broken) {
    test(`${area}, ${name}: ${state} for ${got.source}`, () => {
      const report = preflightReport(facts);
      expect(ajv.errorsText(validate(report) ? null : validate.errors)).toBe("No errors");
      const line = report.lines.find((each) => each.area === area && each.name === name);
      expect([line?.state, line?.got, line?.fix ?? ""]).toEqual([
        state,
        expect.stringMatching(got),
        expect.stringMatching(fix),
      ]);
      const others = report.lines.map((each) => each.state);
      const expected = others.includes("failed")
        ? "not-ready"
        : others.includes("unknown")
          ? "unknown"
          : "ready";
      expect(report.verdict).toBe(expected);
    });
  }

  test("an oplog told to keep 24 h, or that grows slowly, is long enough", () => {
    for (const change of [
      { retentionHours: 24 },
      { windowSeconds: 2 * 3600, bytes: 2 },
      { windowSeconds: 25 * 3600, bytes: 100 },
    ])
      expect(preflightReport(oplog(change)).verdict).toBe("ready");
  });

  test("a host that doesn't answer leaves nothing ok that it alone can see", () => {
    const { lines } = preflightReport({ ...readyFacts, host: { unknown: "gone" } });
    const seen = lines.filter(
      ({ area, state }) => ["host", "MongoDB", "DocumentDB"].includes(area) && state === "ok",
    );
    expect(seen).toEqual([]);
  });

  test("the facts of a ready host keep their schema", () => {
    const check = ajv.compile(factsSchema);
    expect(ajv.errorsText(check(readyHost) ? null : check.errors)).toBe("No errors");
    expect(check({ ...readyHost, ec2: {} })).toBe(false);
    expect(check({ ...readyHost, secrets: [{ ...readyHost.secrets[0], value: "p" }] })).toBe(false);
  });

  test("the terminal shows the verdict first, and each fix below its line", () => {
    const text = renderPreflight(preflightReport(mongodb({ topology: "standalone" })));
    const [first, , ...rest] = text.split("\n");
    expect(first).toMatch(/^Preflight of dev: NOT READY \(1 failed, 0 unknown, 0 note, \d+ ok\)$/);
    const at = rest.findIndex((line) => line.startsWith("FAILED   MongoDB: is a replica set"));
    expect(rest.slice(at, at + 3)).toEqual([
      expect.stringContaining("a standalone server"),
      "         expected  a replica set: DMS reads its change streams",
      "         fix       restart mongod with --replSet (replication.replSetName), then run rs.initiate() once",
    ]);
  });
});
