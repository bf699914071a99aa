import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import type { ActionResult } from "../../core/failback/documents.ts";
import { inspectionKey } from "../../core/failback/layout.ts";
import type { Inspection } from "../../core/live/live-state.ts";
import type { CommandResult, Commands } from "../../core/ports.ts";
import { worldEnvironment } from "../../tests/support/service-world.ts";
import { readInspection } from "./inspection.ts";

const inspection: Inspection = {
  version: 1,
  environment: "test",
  takenAt: "2026-11-21T10:00:00.000Z",
  mongodb: { reachable: false, reason: "does not answer" },
  documentdb: { reachable: true, version: "5.0.0", databases: [], users: [] },
};
const key = inspectionKey(new Date(inspection.takenAt), "0a1b2c");

interface Given {
  /** What lies in the bucket. */
  readonly document?: object;
  readonly data?: Record<string, unknown>;
  readonly command?: Partial<CommandResult>;
}

/** A host that has run the action and left the document. */
async function read(given: Given = {}, operationsInstanceId?: string) {
  const sent: unknown[] = [];
  const store = new MemoryObjectStore();
  const body = new TextEncoder().encode(JSON.stringify(inspection));
  const sha256 = createHash("sha256").update(body).digest("hex");
  await store.put(key, given.document ? new TextEncoder().encode(JSON.stringify(given.document)) : body);
  const result: ActionResult = {
    action: "inspect",
    failbackId: "",
    ok: true,
    checks: [],
    data: { key, sha256, ...given.data },
    at: inspection.takenAt,
  };
  const commands: Commands = {
    send: async (instanceId, document, parameters) => {
      sent.push({ instanceId, document, parameters });
      return "command";
    },
    wait: async () => ({
      commandId: "command",
      status: "success",
      exitCode: 0,
      stdout: `${JSON.stringify(result)}\n`,
      stderr: "",
      ...given.command,
    }),
  };
  const environment = { ...worldEnvironment, ...(operationsInstanceId ? { operationsInstanceId } : {}) };
  return {
    sent,
    inspection: readInspection(commands, store, environment, { databases: ["a", "b"], counts: "exact" }),
  };
}

describe("reading an inspection", () => {
  test("goes to the operations host, or where there is none to the failback host", async () => {
    const parameters = { databases: "a,b", counts: "exact" };
    const one = await read();
    expect(await one.inspection).toEqual(inspection);
    expect(one.sent).toEqual([{ instanceId: "i-1", document: "roundtrip-inspect", parameters }]);
    expect((await read({}, "i-2")).sent).toMatchObject([{ instanceId: "i-2" }]);
  });

  test("an object that isn't the one the action wrote is refused", async () => {
    await expect((await read({ document: { ...inspection, users: [] } })).inspection).rejects.toThrow(
      /sha256/,
    );
    const gone = inspectionKey(new Date(0), "x");
    await expect((await read({ data: { key: gone } })).inspection).rejects.toThrow(/no such object/);
    await expect((await read({ data: { key: "failback/current.json" } })).inspection).rejects.toThrow(
      /a key below operations\/inspections\//,
    );
  });

  test("a document of another environment, or not by the schema, is refused", async () => {
    const stored = (document: object) => {
      const sha256 = createHash("sha256").update(JSON.stringify(document)).digest("hex");
      return read({ document, data: { sha256 } });
    };
    await expect((await stored({ ...inspection, environment: "prod" })).inspection).rejects.toThrow(
      /expected environment test, got prod/,
    );
    await expect((await stored({ ...inspection, version: 2 })).inspection).rejects.toThrow(
      /a document by its schema/,
    );
  });

  test("an action that failed is thrown with its exit code", async () => {
    const failed = await read({
      command: { status: "failed", exitCode: 4, stdout: "", stderr: "no bucket" },
    });
    await expect(failed.inspection).rejects.toMatchObject({ kind: "unavailable" });
  });
});
