import { randomBytes } from "node:crypto";
import { type MongoClient, MongoServerError } from "mongodb";
import type { OpenWriterConnections, WriterConnection, WriterLogin } from "../../core/access/ports.ts";
import type { SecretVersions } from "../../core/credentials/ports.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { NamedUser, Scope } from "../../core/failback/documents.ts";
import type { Secrets } from "../../core/ports.ts";
import { connect, subjectOf } from "./connect.ts";
import { mongoFailure } from "./failure.ts";

/** Unauthorized, and writes blocked by setUserWriteBlockMode. */
const refusals = new Set([13, 371]);

export interface WriterConnectionOptions {
  readonly secrets: Secrets;
  readonly secretVersions: SecretVersions;
  /** Secret of the operator on the same server: gives the address when a user's secret has none. */
  readonly operatorSecret: string;
  readonly scope: Scope;
}

/**
 * Opens connections as application users on DocumentDB. A user's secret holds `username` and `password`, or a
 * complete address of its own.
 */
export function writerConnections(options: WriterConnectionOptions): OpenWriterConnections {
  return async (user, count) => {
    const opened: WriterConnection[] = [];
    try {
      for (let index = 0; index < count; index++) opened.push(await openOne(options, user));
    } catch (error) {
      await Promise.all(opened.map((connection) => connection.close()));
      throw error;
    }
    return opened;
  };
}

/** A client of its own with one socket: the probe must travel on the very connection opened now. */
async function openOne(options: WriterConnectionOptions, user: WriterLogin): Promise<WriterConnection> {
  const { secrets, operatorSecret, scope } = options;
  const own = await loginOf(options, user);
  const { username, password } = own;
  const whole = Boolean(own.uri || own.host);
  if (!whole && (!username || !password)) throw incompleteSecret(user);
  const address = whole ? own : await secrets.get(operatorSecret);
  const settings = { server: "DocumentDB", secretName: user.secret } as const;
  const client = await connect(address, {
    ...settings,
    appName: "roundtrip-probe",
    driver: {
      maxPoolSize: 1,
      minPoolSize: 1,
      ...(whole ? {} : { auth: { username, password }, authSource: address.authSource || "admin" }),
    },
  });
  const [first] = scope.databases;
  const database = first?.name ?? "";
  const collection = first?.collections[0] ?? "";
  const subject = subjectOf(address, settings, `probe ${database}.${collection} as user ${user.name}`);
  return {
    probe: () => probe(client, database, collection, (error) => mongoFailure(error, subject)),
    close: () => client.close(),
  };
}

async function loginOf(
  { secrets, secretVersions }: WriterConnectionOptions,
  { secret, label, name }: WriterLogin,
): Promise<Readonly<Record<string, string>>> {
  if (!label) return secrets.get(secret);
  const found = await secretVersions.read(secret, { label });
  if (found) return found;
  throw new RoundtripError({
    kind: "configuration",
    what: `read the credentials of user ${name} from secret ${secret}`,
    expected: `a version under ${label}`,
    got: "none",
    wayOut: `remove user ${name} from DocumentDB when nobody uses it any more`,
  });
}

async function probe(
  client: MongoClient,
  database: string,
  collection: string,
  asFailure: (error: unknown) => RoundtripError,
): Promise<"allowed" | "refused"> {
  // No document has this id and nothing is upserted: the server checks the right to write and finds nothing to do.
  const filter = { _id: `roundtrip-probe-${randomBytes(12).toString("hex")}` };
  const update = { q: filter, u: { $set: { probed: true } }, upsert: false, multi: false };
  try {
    await client.db(database).command({ update: collection, updates: [update] });
    return "allowed";
  } catch (error) {
    if (error instanceof MongoServerError && refusals.has(Number(error.code))) return "refused";
    throw asFailure(error);
  }
}

function incompleteSecret(user: NamedUser): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: `read the credentials of user ${user.name} from secret ${user.secret}`,
    expected: "username and password, or uri",
    got: "neither",
    wayOut: `write secret ${user.secret} again`,
  });
}
