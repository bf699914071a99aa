import { randomBytes } from "node:crypto";
import { type MongoClient, MongoServerError } from "mongodb";
import { RoundtripError } from "../../core/errors.ts";
import { controlDatabase } from "../../core/failback/layout.ts";
import { type ConnectOptions, connect } from "./connect.ts";

const userNotFound = 11;
/** Unauthorized, and writes blocked by setUserWriteBlockMode. */
const refusals = new Set([13, 371]);
const collection = "probe";

/** A user of MongoDB made for one proof, with a connection of its own; disposing drops user and documents. */
export interface ProbeUser extends AsyncDisposable {
  readonly name: string;
  /** Really inserts a document outside the scope: the write block looks at writes, not at rights. */
  write(): Promise<"allowed" | "refused">;
  /** Takes its role away, as roles are taken from everybody where there is no write block. */
  revoke(): Promise<void>;
}

/** Creates the user through the administrator's connection, replacing one that a killed run left behind. */
export async function createProbeUser(
  administrator: MongoClient,
  secret: Readonly<Record<string, string>>,
  options: Pick<ConnectOptions, "secretName"> & { readonly failbackId: string },
): Promise<ProbeUser> {
  const name = `roundtrip_probe_${options.failbackId}`;
  const password = randomBytes(24).toString("base64url");
  const admin = administrator.db("admin");
  await dropUser(administrator, name);
  await admin.command({
    createUser: name,
    pwd: password,
    roles: [{ role: "readWrite", db: controlDatabase }],
  });
  const client = await connect(secret, {
    server: "MongoDB",
    secretName: options.secretName,
    appName: "roundtrip-probe",
    driver: { auth: { username: name, password }, authSource: "admin", retryWrites: false, maxPoolSize: 1 },
  });
  return {
    name,
    async write() {
      try {
        await client.db(controlDatabase).collection(collection).insertOne({ at: new Date() });
        return "allowed";
      } catch (error) {
        if (error instanceof MongoServerError && refusals.has(Number(error.code))) return "refused";
        throw unclear(name, error);
      }
    },
    async revoke() {
      await admin.command({ updateUser: name, roles: [] });
    },
    async [Symbol.asyncDispose]() {
      await client.close().catch(() => {});
      await administrator.db(controlDatabase).collection(collection).drop().catch(ignoreMissing);
      await dropUser(administrator, name);
    },
  };
}

async function dropUser(administrator: MongoClient, name: string): Promise<void> {
  try {
    await administrator.db("admin").command({ dropUser: name });
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === userNotFound)) throw error;
  }
}

function ignoreMissing(error: unknown): void {
  const namespaceNotFound = 26;
  if (!(error instanceof MongoServerError && error.code === namespaceNotFound)) throw error;
}

function unclear(name: string, cause: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "unavailable",
      what: `probe MongoDB with a write of user ${name}`,
      expected: "the write done, or refused with code 13 or 371",
      got: cause instanceof Error ? cause.message : String(cause),
      wayOut: "see that MongoDB has a primary, then run the step again",
    },
    { cause },
  );
}
