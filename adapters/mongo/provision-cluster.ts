import { type Document, type MongoClient, type MongoClientOptions, MongoServerError } from "mongodb";
import { RoundtripError } from "../../core/errors.ts";
import type { ProvisionStep } from "../../core/provision/model.ts";
import type { ProvisionCluster } from "../../core/provision/ports.ts";
import { stepInWords } from "../../core/provision/response.ts";
import { connect, subjectOf } from "./connect.ts";
import { mongoFailure } from "./failure.ts";

/** A step whose end is already there was done by another run: the code says so. */
const alreadyDone: Partial<Record<ProvisionStep["do"], number>> = {
  "create-collection": 48, // NamespaceExists
  "drop-collection": 26, // NamespaceNotFound
  "drop-user": 11, // UserNotFound
};
const userExists = new Set([51003, 11000]);
const settings = { server: "DocumentDB", appName: "roundtrip-create-user-db" } as const;
/** A command without an answer for this long has failed. */
const socketTimeoutMs = 60_000;

export interface ProvisionClusterOptions {
  /** Address and credentials of the master user; see `connect`. */
  readonly master: Readonly<Record<string, string>>;
  readonly masterSecret: string;
  /** Secret of the DMS user, for messages. */
  readonly userSecret: string;
  /** TLS settings that the secret doesn't give. */
  readonly driver: MongoClientOptions;
}

/** Connects as the master user. Fails as `connect` does; no message holds a value of a secret. */
export async function openProvisionCluster(options: ProvisionClusterOptions): Promise<ProvisionCluster> {
  const driver = { socketTimeoutMS: socketTimeoutMs, ...options.driver };
  const client = await connect(options.master, { ...settings, secretName: options.masterSecret, driver });
  const asked = async <T>(what: string, question: () => Promise<T>): Promise<T> => {
    try {
      return await question();
    } catch (error) {
      const subject = subjectOf(options.master, { ...settings, secretName: options.masterSecret }, what);
      throw mongoFailure(error, subject);
    }
  };
  return {
    masterUser: () => asked("ask who is logged in", () => loggedInUser(client)),
    read: (databases, users) =>
      asked("read databases and users", async () => ({
        databases: await readDatabases(client, databases),
        users: await readUsers(client, users),
      })),
    accepts: (user, password) => isAccepted({ ...options, driver }, user, password),
    apply: (step, password) =>
      asked(stepInWords(step), async () => {
        try {
          await applyStep(client, step, password);
        } catch (error) {
          if (!(error instanceof MongoServerError) || error.code !== alreadyDone[step.do]) throw error;
        }
      }),
    [Symbol.asyncDispose]: () => client.close().catch(() => {}),
  };
}

async function loggedInUser(client: MongoClient): Promise<string> {
  const { authInfo } = await client.db("admin").command({ connectionStatus: 1 });
  return String((authInfo?.authenticatedUsers as Document[] | undefined)?.[0]?.user ?? "");
}

async function readDatabases(
  client: MongoClient,
  wanted: readonly string[],
): Promise<Map<string, Set<string>>> {
  const reply = await client.db("admin").command({ listDatabases: 1, nameOnly: true });
  const found = new Map<string, Set<string>>();
  for (const { name } of reply.databases as Document[]) {
    const isWanted = wanted.includes(String(name));
    const listed = isWanted ? await client.db(name).listCollections({}, { nameOnly: true }).toArray() : [];
    found.set(String(name), new Set(listed.map((collection) => collection.name)));
  }
  return found;
}

async function readUsers(client: MongoClient, wanted: readonly string[]) {
  // One question for all: DocumentDB holds 1,000 users at most, and `usersInfo` by name fails on none there.
  const reply = await client.db("admin").command({ usersInfo: 1 });
  const rolesOf = (user: Document) =>
    ((user.roles ?? []) as Document[]).map(({ role, db }) => ({ role: String(role), db: String(db) }));
  const users = (reply.users as Document[]).filter(({ user }) => wanted.includes(String(user)));
  return new Map(users.map((user) => [String(user.user), rolesOf(user)]));
}

async function isAccepted(
  { master, userSecret, driver }: ProvisionClusterOptions,
  username: string,
  password: string,
): Promise<boolean> {
  try {
    const client = await connect(master, {
      ...settings,
      secretName: userSecret,
      driver: { ...driver, auth: { username, password }, authSource: "admin", maxPoolSize: 1 },
    });
    await client.close();
    return true;
  } catch (error) {
    if (error instanceof RoundtripError && error.kind === "denied") return false;
    throw error;
  }
}

async function applyStep(client: MongoClient, step: ProvisionStep, password: string): Promise<void> {
  const admin = client.db("admin");
  switch (step.do) {
    case "create-user": {
      const body = { pwd: password, roles: plain(step.roles) };
      try {
        await admin.command({ createUser: step.user, ...body });
      } catch (error) {
        if (!isUserThere(error)) throw error;
        await admin.command({ updateUser: step.user, ...body });
      }
      return;
    }
    case "update-user":
      await admin.command({
        updateUser: step.user,
        ...(step.password ? { pwd: password } : {}),
        ...(step.roles ? { roles: plain(step.roles) } : {}),
      });
      return;
    case "drop-user":
      await admin.command({ dropUser: step.user });
      return;
    case "create-collection":
      await client.db(step.database).command({ create: step.collection });
      return;
    case "rename-collection": {
      const [from, to] = [`${step.database}.${step.from}`, `${step.database}.${step.to}`];
      await admin.command({ renameCollection: from, to });
      return;
    }
    case "drop-collection":
      await client.db(step.database).command({ drop: step.collection });
      return;
    case "drop-database":
      await client.db(step.database).command({ dropDatabase: 1 });
  }
}

/** MongoDB says 51003; DocumentDB's code is not documented, its message is. */
function isUserThere(error: unknown): boolean {
  return (
    error instanceof MongoServerError &&
    (userExists.has(Number(error.code)) || /already exists/i.test(error.message))
  );
}

function plain(roles: readonly { role: string; db: string }[]): Document[] {
  return roles.map(({ role, db }) => ({ role, db }));
}
