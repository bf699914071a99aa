import type { Document, MongoClient } from "mongodb";
import { createAccessControl } from "../../adapters/mongo/access-control.ts";
import { connect, subjectOf } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import type { AccessControl } from "../../core/access/ports.ts";
import type { Side } from "../../core/access/roles-record.ts";
import type { RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";
import type { Secrets } from "../../core/ports.ts";

const names = { documentdb: "DocumentDB", mongodb: "MongoDB" } as const;

/** An administrator's connection to one server, and what is asked through it. */
export interface Server {
  readonly side: Side;
  readonly client: MongoClient;
  readonly access: AccessControl;
  /** Runs a command; `what` stands in the message when it fails. */
  command(database: string, body: Document, what: string): Promise<Document>;
  /** Turns what the driver threw into the error that names the server and its secret. */
  failure(error: unknown, what: string): RoundtripError;
}

/** Connections to both servers as Roundtrip's own users, opened at first use and closed together. */
export interface Databases extends AsyncDisposable {
  open(side: Side, options?: { serverSelectionTimeoutMs?: number }): Promise<Server>;
}

export function createDatabases(environment: Environment, secrets: Secrets, appName: string): Databases {
  const opened = new Map<Side, Promise<Server>>();
  return {
    open(side, options = {}) {
      let server = opened.get(side);
      if (!server) {
        server = openServer(environment, secrets, side, appName, options.serverSelectionTimeoutMs);
        // A failed try is no connection: the next one tries again.
        server.catch(() => opened.delete(side));
        opened.set(side, server);
      }
      return server;
    },
    async [Symbol.asyncDispose]() {
      for (const server of await Promise.allSettled(opened.values())) {
        if (server.status === "fulfilled") await server.value.client.close().catch(() => {});
      }
    },
  };
}

async function openServer(
  environment: Environment,
  secrets: Secrets,
  side: Side,
  appName: string,
  serverSelectionTimeoutMs: number | undefined,
): Promise<Server> {
  const secretName = environment[side].secret;
  const secret = await secrets.get(secretName);
  const settings = { server: names[side], secretName };
  const client = await connect(secret, {
    ...settings,
    appName,
    ...(serverSelectionTimeoutMs ? { serverSelectionTimeoutMs } : {}),
  });
  const subject = subjectOf(secret, settings, "ask");
  const failure = (error: unknown, what: string) => mongoFailure(error, subjectOf(secret, settings, what));
  return {
    side,
    client,
    async command(database, body, what) {
      try {
        return await client.db(database).command(body);
      } catch (error) {
        throw failure(error, what);
      }
    },
    access: createAccessControl(client, {
      usersIn: side === "documentdb" ? "admin" : "all",
      subject,
    }),
    failure,
  };
}
