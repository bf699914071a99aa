/** Each action killed before and after every change it makes, then run again: the end is the same as without a kill. */
import { describe, expect, test } from "bun:test";
import { newestFence } from "../../adapters/state/fences.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { RolesRecord } from "../../core/access/roles-record.ts";
import type { MongodbClosing, StartPoint } from "../../core/failback/documents.ts";
import type { Databases, Server } from "../../services/access/databases.ts";
import { findAction } from "../../services/actions/parameters.ts";
import { loadAction } from "../../services/actions/registry.ts";
import { runAction } from "../../services/actions/run-action.ts";
import { FailbackWorld } from "../support/failback-world.ts";
import { worldFailbackId } from "../support/service-world.ts";

const limit = 120_000;
const killsMax = 60;

/** Counts calls that change something, and dies at one of them: before it took effect, or right after. */
class Executioner {
  private calls = 0;

  constructor(
    private readonly killAt: number,
    private readonly when: "before" | "after",
  ) {}

  wrap<T extends object>(target: T, changing: readonly string[]): T {
    return new Proxy(target, {
      get: (object, name: string) => {
        const member = object[name as keyof T];
        if (typeof member !== "function") return member;
        if (!changing.includes(name)) return member.bind(object);
        return async (...given: unknown[]) => {
          const dies = ++this.calls === this.killAt;
          if (dies && this.when === "before") throw new Error("killed");
          const answer = await member.apply(object, given);
          if (dies) throw new Error("killed");
          return answer;
        };
      },
    });
  }
}

/** Runs an action again and again, killed one change later each time, until it comes through. */
async function untilThrough(
  it: FailbackWorld,
  name: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<number> {
  const metadata = findAction(name);
  const defaults = metadata.parameters.map(({ name: own, default: value = "" }) => [own, value] as const);
  const given = {
    failbackId: worldFailbackId,
    values: new Map<string, string>([...defaults, ...Object.entries(parameters)]),
  };
  let kills = 0;
  for (const when of ["before", "after"] as const) {
    for (let killAt = 1; killAt <= killsMax; killAt++) {
      const executioner = new Executioner(killAt, when);
      const service = {
        ...it.world.service,
        store: executioner.wrap(it.world.service.store, ["put", "delete"]),
      };
      const databases: Databases = {
        async open(side, options) {
          const server = await it.databases.open(side, options);
          const access = executioner.wrap(server.access, ["setRoles", "putRole", "dropRole"]);
          return { ...server, access } satisfies Server;
        },
        async [Symbol.asyncDispose]() {},
      };
      const { failure } = await runAction(metadata, await loadAction(name), given, { service, databases });
      if (!failure) break;
      expect(failure.message).toContain("killed");
      kills++;
    }
  }
  const { result, failure } = await it.run(name, parameters);
  if (failure) throw failure;
  expect(result.ok).toBe(true);
  return kills;
}

const read = async <T>(it: FailbackWorld, key: string) => (await readJson<T>(it.world.store, key))!.value;

describe("kills", () => {
  test(
    "from demotion to the fence, closing and the way back: every action may die at any change and be run again",
    async () => {
      await using it = await FailbackWorld.start();
      await it.world.enter("normal");
      await it.must("record-identity", { databases: "shop" });
      await it.recordCheckpoint();
      await it.world.enter("capturing");
      const { keys } = it.world;

      expect(await untilThrough(it, "demote-writers")).toBeGreaterThan(1);
      const record = await read<RolesRecord>(it, keys.roles);
      const before = Object.fromEntries(record.users.map(({ user, roles }) => [user, roles]));
      expect(before).toEqual({
        application: [{ role: "read", db: "shop" }],
        dms: [{ role: "readWriteAnyDatabase", db: "admin" }],
      });

      await untilThrough(it, "enable-change-streams");
      const startPoint = await read<StartPoint>(it, keys.startPoint);
      await it.must("start-service", { unit: "replication.service" });
      await untilThrough(it, "canary");
      expect(await untilThrough(it, "grant-writers", { "allow-remove": "false" })).toBeGreaterThan(2);
      const application = await it.client("documentdb", "application");
      await application.db("shop").collection("orders").insertOne({ while: "capturing" });

      await it.world.enter("draining");
      expect(await untilThrough(it, "drain")).toBeGreaterThan(2);
      const fence = (await newestFence(it.world.store, worldFailbackId))!;
      expect(fence.refusals.map(({ user }) => user)).toContain("application");
      await expect(application.db("shop").collection("orders").insertOne({})).rejects.toMatchObject({
        code: 13,
      });

      expect(await untilThrough(it, "close-mongodb")).toBeGreaterThan(1);
      const closing = await read<MongodbClosing>(it, keys.closing);
      expect(closing).toMatchObject({ method: "user-write-block", blockTime: { t: expect.any(Number) } });
      expect(closing.ttl.map(({ enabled }) => enabled)).toEqual([true, true, true]);

      await it.world.store.put(keys.verdict, new TextEncoder().encode('{"verdict":"PROVEN","reasons":[]}'));
      await it.world.enter("cleaned");
      await untilThrough(it, "reopen-mongodb");
      await untilThrough(it, "restore-roles");
      const dms = await it.client("documentdb", "dms");
      await dms.db("shop").collection("orders").insertOne({ by: "dms" });
      expect((await read<RolesRecord>(it, keys.roles)).users).toEqual(record.users);
      expect(await read<StartPoint>(it, keys.startPoint)).toEqual(startPoint);
    },
    limit,
  );
});
