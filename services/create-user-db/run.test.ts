import { describe, expect, test } from "bun:test";
import type { CurrentFailback } from "../../core/failback/documents.ts";
import type { ProvisionRequest } from "../../core/provision/model.ts";
import type { ProvisionCluster } from "../../core/provision/ports.ts";
import { applyStep, liveOf, type ModelCluster } from "../../core/provision/testing.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { redactingSecrets } from "../lambda/redact.ts";
import { type ProvisionDependencies, provision } from "./run.ts";
import { clusterAddress, type FunctionSettings } from "./settings.ts";

const settings: FunctionSettings = {
  environment: "dev",
  bucket: "bucket",
  region: "eu-west-1",
  masterSecret: "master",
  replicationSecret: "dms",
};
const request: ProvisionRequest = {
  version: 1,
  environment: "dev",
  databases: [{ name: "shop", collections: ["orders", "customers", "items"] }],
};
const secrets = { get: async () => ({ username: "dms", password: "p" }) };
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

interface World {
  cluster: ModelCluster;
  steps: number;
}

/** A cluster in memory that every call of the function meets anew. */
function deps(
  world: World,
  more: Partial<ProvisionDependencies & ProvisionCluster> = {},
): ProvisionDependencies {
  const user = {
    environment: "dev",
    databases: [],
    user: { name: "dms", want: "present" },
    retiredUsers: [],
  } as const;
  const cluster: ProvisionCluster = {
    masterUser: async () => "master",
    read: async () => liveOf(world.cluster),
    accepts: async () => world.cluster.passwordAccepted,
    apply: async (step) => {
      world.cluster = applyStep(world.cluster, step, user);
      world.steps += 1;
    },
    [Symbol.asyncDispose]: async () => {},
    ...more,
  };
  return {
    settings,
    secrets,
    clock: new InstantClock(),
    logger: silent,
    phase: async () => ({ phase: "normal" }) as CurrentFailback,
    openCluster: async () => cluster,
    remainingMs: () => 60_000,
    ...more,
  };
}

const empty = (): World => ({
  cluster: { databases: new Map(), users: new Map(), passwordAccepted: false },
  steps: 0,
});

describe("provision", () => {
  test("out of time it stops and says how far it came; called again it goes on", async () => {
    const world = empty();
    const remainingMs = () => (world.steps < 2 ? 60_000 : 5_000);
    await expect(provision(request, deps(world, { remainingMs }))).rejects.toMatchObject({
      kind: "unavailable",
      expected: "all within the function's time limit",
      got: "2 done",
    });
    const { created, unchanged } = await provision(request, deps(world));
    expect(created.map(({ name }) => name)).toEqual(["shop.customers", "shop.items"]);
    expect(unchanged.map(({ name }) => name)).toEqual(["dms", "shop", "shop.orders"]);
  });

  test("a step that did not take is seen when everything is read again", async () => {
    const world = empty();
    const apply = async () => {};
    await expect(provision(request, deps(world, { apply }))).rejects.toMatchObject({
      kind: "unavailable",
      got: expect.stringContaining("still to do: create user dms, create collection shop.orders"),
    });
  });

  test("a new password that takes a moment to be accepted is waited for, within bounds", async () => {
    const world = empty();
    let asked = 0;
    const slow = { accepts: async () => ++asked >= 4 };
    await provision(request, deps(world, slow));
    expect(asked).toBe(4);
    const never = { accepts: async () => false };
    await expect(provision(request, deps(world, never))).rejects.toMatchObject({
      got: "still to do: update user dms",
    });
  });

  test("the master user is no user for DMS", async () => {
    const world = empty();
    await expect(provision(request, deps(world, { masterUser: async () => "dms" }))).rejects.toMatchObject({
      kind: "refused",
    });
    expect(world.steps).toBe(0);
  });
});

describe("the cluster's address", () => {
  const login = { username: "u", password: "p" };
  const withHost = { ...settings, host: "cluster.docdb.amazonaws.com", port: "27017" };
  const pem = "/var/task/global-bundle.pem";

  test("user and password alone: the function's host, set rs0, TLS with the archive's CA file", () => {
    expect(clusterAddress(login, withHost, pem)).toEqual({
      master: {
        ...login,
        host: "cluster.docdb.amazonaws.com",
        port: "27017",
        replicaSet: "rs0",
        tls: "true",
      },
      driver: { tlsCAFile: pem },
    });
  });

  test("TLS is off only where the secret says so, and a CA file of the secret's own is left", () => {
    expect(clusterAddress({ ...login, tls: "false" }, withHost, undefined).driver).toEqual({});
    expect(clusterAddress({ ...login, caFile: "/own.pem" }, withHost, undefined).driver).toEqual({});
    expect(() => clusterAddress(login, withHost, undefined)).toThrow(/archive built without it/);
  });

  test("a uri is taken at its word; the CA file is added where it asks for TLS and names none", () => {
    const uri = (query: string) => clusterAddress({ uri: `mongodb://u:p@h/?${query}` }, settings, pem).driver;
    expect(uri("replicaSet=rs0")).toEqual({});
    expect(uri("tls=true")).toEqual({ tlsCAFile: pem });
    expect(uri("tls=true&tlsCAFile=/own.pem")).toEqual({});
  });
});

test("what a secret gave is hidden from any text, encoded too", async () => {
  const given = redactingSecrets({ get: async () => ({ username: "dms", password: 'p/ss "w@rd' }) });
  await given.get("dms");
  const text = 'dms: p/ss "w@rd, p%2Fss%20%22w%40rd, p/ss \\"w@rd';
  expect(given.redact(text)).toBe("dms: [hidden], [hidden], [hidden]");
});
