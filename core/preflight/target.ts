import { builtInWrites } from "../access/built-in-roles.ts";
import { controlDatabase } from "../failback/layout.ts";
import { compareVersions, part, Question, some } from "./line.ts";
import type { DeclaredFacts, DmsEndpointFacts, DocumentdbFacts, Fact, PreflightLine } from "./model.ts";

/** DocumentDB up to 4.0 takes collection names of this many characters. */
const shortNameMax = 57;
const asked = "make DocumentDB answer the host first (the line above), then run preflight again";

interface Right {
  readonly role: string;
  readonly db: string;
  readonly for: string;
  /** Other roles that hold it, on `admin`. */
  readonly or: readonly string[];
}

/** docs/users-and-secrets.md: Roundtrip's own user on DocumentDB. */
const rights: readonly Right[] = [
  { role: "userAdminAnyDatabase", db: "admin", for: "demote and grant", or: ["root"] },
  { role: "readAnyDatabase", db: "admin", for: "read change streams", or: ["readWriteAnyDatabase", "root"] },
  { role: "clusterManager", db: "admin", for: "modifyChangeStreams", or: ["clusterAdmin", "root"] },
  { role: "clusterMonitor", db: "admin", for: "currentOp", or: ["clusterAdmin", "root"] },
  { role: "hostManager", db: "admin", for: "killOp", or: ["clusterAdmin", "root"] },
  { role: "readWrite", db: controlDatabase, for: "its signals", or: ["readWriteAnyDatabase", "root"] },
];

/** The lines about DocumentDB. */
export function targetLines(
  fact: Fact<DocumentdbFacts>,
  declared: DeclaredFacts,
  endpoints: Fact<readonly DmsEndpointFacts[]>,
): PreflightLine[] {
  return [
    answers(fact),
    version(fact),
    tls(fact, endpoints),
    privileges(fact),
    streams(part(fact, (documentdb) => documentdb.streams)),
    users(
      part(fact, (documentdb) => documentdb.users),
      declared,
    ),
    names(fact, declared),
  ];
}

function answers(fact: Fact<DocumentdbFacts>): PreflightLine {
  const question = new Question("DocumentDB", "answers the host", "a login as Roundtrip's user");
  if ("value" in fact) return question.ok(`version ${fact.value.version}`);
  return question.failed(
    fact.unknown,
    "see that the cluster is available, that its security group takes the host's on the cluster's port, and that documentdb.secret holds address, user and password of Roundtrip's user",
  );
}

function version(fact: Fact<DocumentdbFacts>): PreflightLine {
  const question = new Question("DocumentDB", "engine version", "4.0, 5.0 or 8.0");
  return question.of(fact, asked, ({ version: found }) => {
    if (compareVersions(found, "4.0.0") < 0) {
      return question.failed(
        found,
        "upgrade the cluster: change streams start at an operation time from 4.0 on",
      );
    }
    if (compareVersions(found, "5.0.0") < 0) {
      const fix = "nothing now; 5.0 has change streams on readers, and upgrades in place to 8.0";
      return question.note(`${found}: capture reads from the writer alone`, fix);
    }
    return question.ok(found);
  });
}

function tls(fact: Fact<DocumentdbFacts>, endpoints: Fact<readonly DmsEndpointFacts[]>): PreflightLine {
  const question = new Question("DocumentDB", "TLS", "on, for the host and for the DMS endpoints alike");
  return question.of(fact, asked, ({ tls: host }) =>
    question.of(endpoints, "let the runner's role read DMS (dms:DescribeEndpoints)", (all) => {
      const targets = all.filter(({ type }) => type === "target");
      const others = targets.filter((endpoint) => endpoint.tls !== host).map(({ id }) => id);
      const side = host ? "on for the host" : "off for the host";
      if (others.length > 0) {
        return question.failed(
          `${side}, ${host ? "off" : "on"} for the endpoints ${some(others)}`,
          host
            ? "give these endpoints ssl_mode verify-full and the CA certificate"
            : 'set "tls": "true" and caFile in documentdb.secret, or turn TLS off at the endpoints where the cluster has it off',
        );
      }
      if (host) return question.ok(`on, ${targets.length} endpoints`);
      const fix = "set parameter tls to enabled in the cluster's parameter group and reboot its instances";
      return question.note("off: data and passwords cross the network in clear", fix);
    }),
  );
}

function privileges(fact: Fact<DocumentdbFacts>): PreflightLine {
  const question = new Question(
    "DocumentDB",
    "privileges of Roundtrip's user",
    rights.map(({ role }) => role).join(", "),
  );
  return question.of(fact, asked, ({ roles }) => {
    const holds = ({ role, db, or }: Right) =>
      roles.some(
        (held) => (held.role === role && held.db === db) || (held.db === "admin" && or.includes(held.role)),
      );
    const missing = rights.filter((right) => !holds(right));
    if (missing.length === 0) return question.ok("all there");
    const words = missing.map((right) => `${right.role} on ${right.db} (${right.for})`);
    const custom = roles.filter(({ role }) => builtInWrites(role) === undefined).map(({ role }) => role);
    if (custom.length > 0) {
      return question.unknown(
        `not by a built-in role: ${some(words)}; may be in ${some(custom)}`,
        "see that the custom roles hold these rights, or grant the built-in ones",
      );
    }
    const grant = missing.map(({ role, db }) => `{role: "${role}", db: "${db}"}`).join(", ");
    return question.failed(
      `missing: ${some(words)}`,
      `as the master user: db.grantRolesToUser("<Roundtrip's user>", [${grant}])`,
    );
  });
}

function streams(fact: Fact<"on" | "off">): PreflightLine {
  const question = new Question("DocumentDB", "change streams can be listed", "$listChangeStreams answers");
  const fix =
    "grant Roundtrip's user readAnyDatabase, as the master user; elastic clusters have no change streams";
  if ("unknown" in fact) return question.failed(fact.unknown, fix);
  return question.ok(
    `answers: ${fact.value} for the cluster${fact.value === "off" ? ", failback-start turns them on" : ""}`,
  );
}

function users(
  fact: Fact<readonly string[]>,
  { dmsTargetUser, applicationUsers }: DeclaredFacts,
): PreflightLine {
  const question = new Question("DocumentDB", "users", "the DMS user and the application users exist");
  return question.of(fact, asked, (found) => {
    const missing = [dmsTargetUser, ...applicationUsers].filter((user) => !found.includes(user));
    if (missing.length === 0) return question.ok(`${1 + applicationUsers.length} found`);
    return question.failed(
      `not there: ${some(missing)}`,
      missing.includes(dmsTargetUser)
        ? "invoke create-user-db for the DMS user (docs/create-user-db.md); create application users as the master user"
        : "create them as the master user with role read on the replicated databases; failback-start grants the rest",
    );
  });
}

function names(fact: Fact<DocumentdbFacts>, { namespaces }: DeclaredFacts): PreflightLine {
  const expected = `collection names of at most ${shortNameMax} characters on versions up to 4.0`;
  const question = new Question("DocumentDB", "names of collections", expected);
  return question.of(fact, asked, ({ version: found }) => {
    if (compareVersions(found, "5.0.0") >= 0) return question.ok(`no such limit on ${found}`);
    const nameOf = (namespace: string) => namespace.slice(namespace.indexOf(".") + 1);
    const long = namespaces.filter((namespace) => [...nameOf(namespace)].length > shortNameMax);
    if (long.length === 0) return question.ok(`all ${namespaces.length} fit`);
    return question.failed(
      `too long for ${found}: ${some(long)}`,
      "upgrade the cluster to 5.0, or rename these collections",
    );
  });
}
