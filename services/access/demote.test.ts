import { describe, expect, test } from "bun:test";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import { FakeServer } from "../../tests/support/fake-server.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import {
  ServiceWorld,
  worldEnvironment,
  worldFailbackId,
  worldScope,
} from "../../tests/support/service-world.ts";
import { type DemotionDependencies, demoteUsers } from "./demote.ts";
import { listedWriters, surveyDocumentdb } from "./survey.ts";

const databases = ["shop"];
const users = {
  application: [{ role: "readWrite", db: "shop" }],
  dms: [{ role: "root", db: "admin" }],
  operator: [{ role: "root", db: "admin" }],
};

function setUp(staleMs = 0) {
  const clock = new InstantClock();
  const world = new ServiceWorld({ clock });
  const server = new FakeServer({ clock, databases, users, staleMs });
  const roles = new RolesStore(world.store, worldFailbackId);
  const deps: DemotionDependencies = {
    access: server,
    openConnections: server.openConnections,
    roles,
    clock,
    logger: world.service.logger,
    signal: world.stop.signal,
    alive() {},
  };
  const demote = async () =>
    demoteUsers(
      deps,
      await surveyDocumentdb(server, worldEnvironment, worldScope),
      listedWriters(worldEnvironment, worldScope),
      databases,
    );
  return { world, server, roles, deps, demote, [Symbol.dispose]: () => world[Symbol.dispose]() };
}

describe("failback 1: writers lose their rights, each refusal proved", () => {
  test("connections are opened as writers before any role changes, and all are closed", async () => {
    using it = setUp();
    const refusals = await it.demote();
    expect(it.server.calls.slice(0, 2)).toEqual(["open application as writer", "open dms as writer"]);
    expect(it.server.calls.slice(2)).toEqual([
      "setRoles application read@shop",
      "setRoles dms readAnyDatabase@admin",
    ]);
    expect(refusals.map(({ user }) => user)).toEqual(["application", "dms"]);
    expect(it.server.openConnectionCount).toBe(0);
  });

  test("sessions that keep their rights for a while are waited for, and the time is recorded", async () => {
    using it = setUp(2000);
    const [application] = await it.demote();
    expect(application?.afterMs).toBeGreaterThanOrEqual(2000);
    expect(application?.afterMs).toBeLessThan(2500);
  });

  test("a session that never loses its rights ends the step, naming the user", async () => {
    using it = setUp(Number.POSITIVE_INFINITY);
    const error = await it.demote().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RoundtripError);
    expect((error as RoundtripError).kind).toBe("unavailable");
    expect((error as RoundtripError).message).toContain("user application");
    expect(it.server.openConnectionCount).toBe(0);
  });

  test("old roles are in S3 before the first change, and a rerun does not replace them", async () => {
    using it = setUp();
    const before = it.deps.access.setRoles;
    let recordedFirst: number | undefined;
    it.server.setRoles = async (...given) => {
      recordedFirst ??= (await it.roles.read()).users.length;
      return before.apply(it.server, given);
    };
    await it.demote();
    expect(recordedFirst).toBe(2);
    await it.demote();
    const record = await it.roles.read();
    expect(record.users.map(({ user, roles }) => [user, roles[0]?.role])).toEqual([
      ["application", "readWrite"],
      ["dms", "root"],
    ]);
  });

  test("when one user's connection can't be opened, nothing is changed for any", async () => {
    using it = setUp();
    const deps = {
      ...it.deps,
      openConnections: async (user: { name: string; secret: string }, count: number) => {
        if (user.name === "dms") throw new Error("wrong password");
        return it.server.openConnections(user, count);
      },
    };
    const survey = await surveyDocumentdb(it.server, worldEnvironment, worldScope);
    const writers = listedWriters(worldEnvironment, worldScope);
    await expect(demoteUsers(deps, survey, writers, databases)).rejects.toThrow("wrong password");
    expect(it.server.calls.filter((call) => call.startsWith("setRoles"))).toEqual([]);
    expect((await it.roles.read()).users).toEqual([]);
  });

  test("a user that already reads only is probed, too, and keeps its roles", async () => {
    using it = setUp();
    it.server.users.set("application", [{ role: "read", db: "shop" }]);
    const refusals = await it.demote();
    expect(refusals.map(({ user }) => user)).toEqual(["application", "dms"]);
    expect(it.server.calls).not.toContain("setRoles application read@shop");
  });
});
