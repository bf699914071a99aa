import { expect, test } from "bun:test";
import { type Applied, appliedKey } from "../../core/plan/applied.ts";
import { MemoryObjectStore } from "../memory/object-store.ts";
import { writeJson } from "../state/json.ts";
import { readApplied } from "./applied.ts";

const document: Applied = {
  version: 1,
  environment: "dev",
  tasksText: "version: 1\ntasks: [{id: a, database: a, collections: [x]}]\n",
  commit: "0".repeat(40),
  tree: "1".repeat(40),
  digest: `sha256:${"0".repeat(64)}`,
  appliedAt: "2026-11-20T10:00:00.000Z",
  by: { actor: "ada", approvedBy: "grace", url: "https://example.org/runs/1" },
};

async function read(value: unknown) {
  const store = new MemoryObjectStore();
  await writeJson(store, appliedKey, value);
  return await readApplied(store, "dev");
}

test("nothing applied yet is no failure", async () => {
  expect(await readApplied(new MemoryObjectStore(), "dev")).toBeUndefined();
});

test("the document with its tasks", async () => {
  expect(await read(document)).toMatchObject({ document, tasks: { tasks: [{ id: "a" }] } });
});

test("another environment's, one that misses a key, and tasks that can't be read are refused", async () => {
  await expect(read({ ...document, environment: "prod" })).rejects.toThrow(
    "expected environment dev, got prod",
  );
  const { tree: _left, ...torn } = document;
  await expect(read(torn)).rejects.toThrow("tree");
  await expect(read({ ...document, tasksText: "version: 2" })).rejects.toThrow("applied/current.json:1");
});
