import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { Binary } from "mongodb";
import { parseOperation, relevantOperations } from "./running-operations.ts";

const users = ["application"];
const databases = ["shop"];
const relevant = (entry: Record<string, unknown>) =>
  relevantOperations(
    [parseOperation({ opid: 1, active: true, ns: "shop.orders", ...entry })],
    users,
    databases,
  ).length === 1;
const theirs = { effectiveUsers: [{ user: "application", db: "admin" }] };
const others = { effectiveUsers: [{ user: "capture", db: "admin" }] };

describe("failback 12: what is still in flight", () => {
  test("a write of the user, by operation or by command, wherever it goes", () => {
    expect(relevant({ ...theirs, op: "update" })).toBe(true);
    expect(relevant({ ...theirs, op: "command", command: { findAndModify: "orders" } })).toBe(true);
    expect(
      relevant({ ...theirs, op: "command", command: { aggregate: "orders", pipeline: [{ $merge: "x" }] } }),
    ).toBe(true);
    expect(relevant({ ...theirs, op: "insert", ns: "elsewhere.c" })).toBe(true);
  });

  test("an open transaction of the user, also one that is idle", () => {
    expect(relevant({ ...theirs, op: "none", active: false, transaction: { parameters: {} } })).toBe(true);
  });

  test("not its reads, not its idle connections, not the writes of others", () => {
    expect(relevant({ ...theirs, op: "query", command: { find: "orders" } })).toBe(false);
    expect(relevant({ ...theirs, op: "insert", active: false })).toBe(false);
    expect(relevant({ ...others, op: "update" })).toBe(false);
    expect(relevant({ ...others, op: "none", active: false, transaction: {} })).toBe(false);
  });

  test("an idle transaction that names its user only by the session's hash, and one that names nobody", () => {
    const session = (user: string) => ({
      uid: new Binary(createHash("sha256").update(`${user}@admin`).digest()),
    });
    const idle = {
      type: "idleSession",
      ns: "",
      opid: undefined,
      op: undefined,
      active: false,
      transaction: {},
    };
    expect(relevant({ ...idle, lsid: session("application") })).toBe(true);
    expect(relevant({ ...idle, lsid: session("capture") })).toBe(false);
    expect(relevant(idle)).toBe(true);
  });

  test("a write in scope whose user the server does not name counts as theirs", () => {
    expect(relevant({ op: "update" })).toBe(true);
    expect(relevant({ op: "update", ns: "elsewhere.c" })).toBe(false);
  });
});
