import { expect, test } from "bun:test";
import { appliedHistoryKey, appliedKey } from "../../core/plan/applied.ts";
import { readApplied } from "../live/applied.ts";
import { MemoryObjectStore } from "../memory/object-store.ts";
import { recordApplied } from "./applied-store.ts";
import { readJson } from "./json.ts";

const applied = {
  version: 1,
  environment: "dev",
  tasksText: "version: 1\ntasks: [{id: shop, database: shop, collections: [orders]}]\n",
  commit: "1".repeat(40),
  tree: "2".repeat(40),
  digest: `sha256:${"3".repeat(64)}`,
  operationId: "dev-apply-1",
  appliedAt: "2026-11-21T10:00:00.000Z",
  by: { actor: "ana" },
} as const;

test("a record replaces what it started from, and has a copy of its own", async () => {
  const store = new MemoryObjectStore();
  await recordApplied(store, applied, undefined);
  const base = await readApplied(store, "dev");
  await recordApplied(store, { ...applied, operationId: "dev-apply-2" }, base);
  expect((await readApplied(store, "dev"))?.document.operationId).toBe("dev-apply-2");
  for (const id of ["dev-apply-1", "dev-apply-2"])
    expect((await readJson(store, appliedHistoryKey(id)))?.value).toMatchObject({ operationId: id });
});

test("recorded again by the same operation, at another time: the first record stays", async () => {
  const store = new MemoryObjectStore();
  const first = await recordApplied(store, applied, undefined);
  const second = await recordApplied(store, { ...applied, appliedAt: "2026-11-21T11:00:00.000Z" }, undefined);
  expect(second).toEqual(first);
  expect((await readJson(store, appliedKey))?.value).toEqual(first);
});

test("what somebody else recorded meanwhile is never replaced", async () => {
  const store = new MemoryObjectStore();
  await recordApplied(store, applied, undefined);
  const mine = recordApplied(store, { ...applied, operationId: "dev-apply-2" }, undefined);
  await expect(mine).rejects.toThrow(
    `record what was applied in applied/current.json: expected the document this plan started from, got commit ${applied.commit}, applied 2026-11-21T10:00:00.000Z by ana. Way out: plan again from what was applied since, have it reviewed, and apply that`,
  );
  expect((await readApplied(store, "dev"))?.document.operationId).toBe("dev-apply-1");
});
