import { expect, test } from "bun:test";
import type { RecordedUser } from "../../core/access/roles-record.ts";
import { MemoryObjectStore } from "../memory/object-store.ts";
import { addFence, newestFence } from "./fences.ts";
import { RolesStore } from "./roles-store.ts";

const recorded = (user: string, role = "readWrite"): RecordedUser => ({
  side: "documentdb",
  user,
  db: "admin",
  roles: [{ role, db: "shop" }],
  recordedAt: "2026-11-21T00:00:00.000Z",
});

test("two writers at once both leave their users", async () => {
  const store = new MemoryObjectStore();
  await Promise.all(["a", "b", "c", "d"].map((name) => new RolesStore(store, "f1").add([recorded(name)])));
  expect((await new RolesStore(store, "f1").read()).users.map(({ user }) => user).sort()).toEqual([
    "a",
    "b",
    "c",
    "d",
  ]);
});

test("a rerun writes nothing", async () => {
  const store = new MemoryObjectStore();
  const roles = new RolesStore(store, "f1");
  await roles.add([recorded("a")]);
  const { etag } = (await store.head("failback/f1/roles.json"))!;
  await roles.add([recorded("a", "read")]);
  expect((await store.head("failback/f1/roles.json"))!.etag).toBe(etag);
});

test("a grant is noted once, and again when a fence came between", async () => {
  const roles = new RolesStore(new MemoryObjectStore(), "f1");
  const grant = { at: "2026-11-21T00:00:00.000Z", allowRemove: false, fencesBefore: 0 };
  await roles.grant(grant);
  await roles.grant({ ...grant, at: "2026-11-21T01:00:00.000Z" });
  expect((await roles.read()).grants).toEqual([grant]);
  await roles.grant({ ...grant, fencesBefore: 1 });
  expect((await roles.read()).grants).toHaveLength(2);
});

test("the fence with the highest number is the newest, and a number is taken once", async () => {
  const store = new MemoryObjectStore();
  const fence = (number: number, sentinelId: string) =>
    ({ version: 1, failbackId: "f1", number, sentinelId, writtenAt: "", refusals: [] }) as const;
  expect(await newestFence(store, "f1")).toBeUndefined();
  for (const number of [1, 2, 10]) expect(await addFence(store, fence(number, `s${number}`))).toBe(true);
  expect(await addFence(store, fence(10, "another"))).toBe(false);
  expect((await newestFence(store, "f1"))?.sentinelId).toBe("s10");
});
