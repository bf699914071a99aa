import { describe, expect, test } from "bun:test";
import type { Inspection } from "../live/live-state.ts";
import { secretChecks, unusedChecks } from "./endpoint-checks.ts";
import { firstStartChecks, sourceDocuments } from "./first-start-checks.ts";
import type { ReplicationEndpoint, TaskLink } from "./ports.ts";
import { selectTasks, taskInWords, taskSelectionPattern } from "./task-selection.ts";

const target: ReplicationEndpoint = {
  id: "target",
  arn: "arn:t",
  type: "target",
  engine: "docdb",
  secret: "prod/dms",
};
const link: TaskLink = {
  taskId: "shop",
  taskArn: "arn:shop",
  sourceEndpointArn: "arn:s",
  targetEndpointArn: "arn:t",
  instanceArn: "arn:i",
  startedAt: new Date("2026-11-21T12:00:05Z"),
};

describe("endpoints read the secret that is rotated", () => {
  test("by its name or its ARN; each endpoint is looked at once", () => {
    const arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/dms-AbCdEf";
    for (const secret of ["prod/dms", arn])
      expect(secretChecks([{ ...target, secret }], [link, link], "prod/dms").map(({ ok }) => ok)).toEqual([
        true,
      ]);
  });

  test("another secret, clear text, and an endpoint that is gone are refused, each with its way out", () => {
    const { secret: _, ...clear } = target;
    const got = (endpoints: ReplicationEndpoint[]) => secretChecks(endpoints, [link], "prod/dms")[0]!;
    expect(got([{ ...target, secret: "other" }])).toMatchObject({ ok: false, got: "secret other" });
    expect(got([{ ...clear, username: "dms" }])).toMatchObject({
      ok: false,
      got: "user and password in clear text",
    });
    expect(got([{ ...clear, username: "dms" }]).wayOut).toContain("endpoint target in Terraform");
    expect(got([])).toMatchObject({
      ok: false,
      got: "no such endpoint",
      wayOut: expect.stringContaining("run apply"),
    });
  });
});

describe("nobody needs the old user any more", () => {
  const old = { username: "dms", secret: "prod/dms", promotedAt: new Date("2026-11-21T12:00:05.700Z") };
  const found = { endpoints: [target], links: [link], runningArns: new Set(["arn:shop"]) };
  const allOk = (more: Partial<typeof found>) =>
    unusedChecks({ ...found, ...more }, old).every(({ ok }) => ok);

  test("a running task started in the second of the promotion or later has logged in anew", () => {
    expect(allOk({})).toBe(true);
    const before = { ...link, startedAt: new Date("2026-11-21T12:00:04Z") };
    expect(allOk({ links: [before] })).toBe(false);
    const { startedAt: _, ...unknown } = link;
    expect(allOk({ links: [unknown] })).toBe(false);
  });

  test("a task that stands still, or works with another secret, needs nothing", () => {
    const before = { ...link, startedAt: new Date("2026-11-20T12:00:00Z") };
    expect(allOk({ links: [before], runningArns: new Set() })).toBe(true);
    expect(allOk({ links: [before], endpoints: [{ ...target, secret: "other" }] })).toBe(true);
  });
});

describe("before the first start", () => {
  const tasks = [{ id: "shop", database: "shop", collections: [{ name: "orders" }, { name: "items" }] }];
  const collection = (name: string, documents: number) => ({ name, documents, bytes: 0, indexes: [] });
  const side = (
    documents: number,
    users: Inspection["documentdb"] extends infer S ? Extract<S, { users: unknown }>["users"] : never,
  ) => ({
    reachable: true as const,
    version: "5.0.0",
    databases: [{ name: "shop", collections: [collection("orders", documents), collection("others", 9)] }],
    users,
  });
  const writer = { name: "dms", roles: [{ role: "readWrite", db: "shop" }] };
  const inspection = (more: Partial<Inspection>): Inspection => ({
    version: 1,
    environment: "dev",
    takenAt: "2026-11-21T12:00:00Z",
    mongodb: side(40, []),
    documentdb: side(0, [writer]),
    ...more,
  });
  const failed = (more: Partial<Inspection>) =>
    firstStartChecks(inspection(more), tasks, "dms").filter(({ ok }) => !ok);

  test("empty collections, or none, and a user that may write: it may start; other collections don't count", () => {
    expect(failed({})).toEqual([]);
    expect(sourceDocuments(inspection({}), tasks)).toBe(40);
  });

  test("documents on the target are named with their number", () => {
    expect(failed({ documentdb: side(1200, [writer]) })).toMatchObject([
      { got: "documents in shop.orders (1,200)" },
    ]);
  });

  test("a missing user, and one that may only read, are refused", () => {
    expect(failed({ documentdb: side(0, []) })).toMatchObject([{ got: "no such user" }]);
    const reader = { name: "dms", roles: [{ role: "read", db: "shop" }] };
    expect(failed({ documentdb: side(0, [reader]) })).toMatchObject([{ got: "no role to write to shop" }]);
    const elsewhere = { ...writer, db: "shop" };
    expect(failed({ documentdb: side(0, [elsewhere]) })).toMatchObject([{ got: "no such user" }]);
  });

  test("a side that wasn't read is never taken for an empty one", () => {
    const away = { reachable: false as const, reason: "no answer" };
    expect(failed({ documentdb: away })).toMatchObject([{ name: "DocumentDB was read", got: "no answer" }]);
    expect(failed({ mongodb: away })).toMatchObject([{ name: "MongoDB was read" }]);
    expect(sourceDocuments(inspection({ mongodb: away }), tasks)).toBeUndefined();
  });
});

test("tasks are chosen by all or by ids; what isn't published is refused with what is", () => {
  const published = [
    { id: "shop", arn: "arn:shop" },
    { id: "billing", arn: "arn:billing" },
  ];
  expect(selectTasks(published, "all")).toEqual(published);
  expect(selectTasks(published, "billing,billing").map(({ id }) => id)).toEqual(["billing"]);
  expect(() => selectTasks(published, "shop,none")).toThrow(
    "choose the DMS tasks none: expected all, or some of: shop, billing",
  );
  for (const text of ["", "a,", ",a", "a b", "a;b", "-a", "a,,b"])
    expect(taskSelectionPattern.test(text)).toBe(false);
  expect(
    taskInWords({ id: "a", arn: "b", status: "failed", stopReason: "FATAL_ERROR", lastFailure: "no login" }),
  ).toBe("failed; FATAL_ERROR; no login");
});
