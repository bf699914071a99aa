import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import type { RoundtripError } from "../../core/errors.ts";
import { type DatabaseHandle, startDatabase } from "../../sandbox/up/database.ts";
import { connect, subjectOf } from "./connect.ts";
import { mongoFailure } from "./failure.ts";

const directory = mkdtempSync(join(tmpdir(), "roundtrip-connect-"));
const password = "s3cret/with@odd:signs";
let database: DatabaseHandle;
let hosts: string;

beforeAll(async () => {
  database = await startDatabase({ dir: join(directory, "data") });
  hosts = /@([^/]+)\//.exec(database.ready.uri)?.[1] ?? "";
  const root = await new MongoClient(database.ready.uri).connect();
  await root.db("admin").command({ createUser: "app", pwd: password, roles: [{ role: "read", db: "shop" }] });
  await root.close();
});

afterAll(async () => {
  await database?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const options = {
  server: "MongoDB",
  secretName: "the-secret",
  appName: "test",
  serverSelectionTimeoutMs: 400,
} as const;

async function failureOf(secret: Record<string, string>): Promise<RoundtripError> {
  try {
    await (await connect(secret, options)).close();
  } catch (error) {
    return error as RoundtripError;
  }
  throw new Error("it did not fail");
}

describe("connecting from a secret", () => {
  test("as fields, with a password that a connection string would have to escape", async () => {
    const client = await connect({ host: hosts, username: "app", password, replicaSet: "rs0" }, options);
    expect(await client.db("shop").collection("orders").countDocuments()).toBe(0);
    await client.close();
  });

  test("as a connection string; DocumentDB never gets retryable writes", async () => {
    const client = await connect({ uri: database.ready.uri }, { ...options, server: "DocumentDB" });
    expect(client.options.retryWrites).toBe(false);
    expect(client.options.readPreference.mode).toBe("primary");
    await client.close();
  });

  test("a wrong password and an unknown user are denied, naming secret and host and nothing of its content", async () => {
    for (const login of [
      { username: "app", password: "not-the-password" },
      { username: "nobody-known", password },
    ]) {
      const failure = await failureOf({ host: hosts, replicaSet: "rs0", ...login });
      expect([failure.kind, failure.exitCode]).toEqual(["denied", 5]);
      expect(failure.message).toContain("the-secret");
      expect(failure.message).toContain(hosts);
      expect(failure.message).not.toContain(login.password);
    }
  });

  test("a server that is not there is unavailable, within the time given", async () => {
    const started = performance.now();
    const failure = await failureOf({ host: "127.0.0.1:1", username: "app", password });
    expect([failure.kind, failure.exitCode]).toEqual(["unavailable", 4]);
    expect(failure.message).toContain("127.0.0.1:1");
    expect(performance.now() - started).toBeLessThan(3000);
  });

  test("a secret that lacks a field, or holds no connection string, is a matter of configuration", async () => {
    const incomplete = await failureOf({ host: hosts, username: "app" });
    expect([incomplete.kind, incomplete.got]).toEqual(["configuration", "no password"]);
    const garbage = await failureOf({ uri: "mongo:/garbage-with-hunter2" });
    expect(garbage.kind).toBe("configuration");
    expect(garbage.message).not.toContain("hunter2");
  });

  test("a missing privilege is denied and says which secret's user lacks it", async () => {
    const secret = { host: hosts, username: "app", password, replicaSet: "rs0" };
    const client = await connect(secret, options);
    const error = await client
      .db("shop")
      .collection("orders")
      .insertOne({})
      .catch((reason) => reason);
    await client.close();
    const failure = mongoFailure(error, subjectOf(secret, options, "insert an order"));
    expect([failure.kind, failure.exitCode]).toEqual(["denied", 5]);
    expect(failure.message).toContain("the-secret");
    expect(failure.got).toContain("13");
  });
});
