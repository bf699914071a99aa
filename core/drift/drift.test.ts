import { describe, expect, test } from "bun:test";
import type { LiveState } from "../live/live-state.ts";
import { tasksOf } from "../plan/testing.ts";
import { drift, type Read, standing, told, withCollections, withTask } from "./sample.ts";

describe("clean", () => {
  for (const name of ["dev", "qa", "prod"] as const)
    test(`${name} stands as it was applied`, () => {
      const report = drift(standing(name));
      expect([report.verdict, report.findings, report.unread, report.notes]).toEqual(["clean", [], [], []]);
    });

  test("what DMS adds to mappings and settings is no drift, nor are ids of rules", () => {
    const live = withTask({});
    if (!live.dms.reachable) throw new Error("unreachable");
    const mappings = JSON.parse(JSON.stringify(live.dms.tasks[0]!.mappings));
    for (const rule of mappings.rules) {
      rule["rule-id"] = `9${rule["rule-id"]}`;
      rule.filters = [];
      rule["load-order"] ??= null;
    }
    mappings.rules.reverse();
    expect(told(withTask({ mappings }))).toEqual([]);
  });

  test("a status DMS passes through, and a task that is stopped because a failback is open", () => {
    expect(told(withTask({ status: "modifying" }))).toEqual([]);
    const open = drift(withTask({ status: "stopped" }), { phase: "capturing" });
    expect(open.verdict).toBe("clean");
    expect(open.notes).toEqual([
      "phase capturing: DMS stands still and rights differ on purpose, so neither counts",
    ]);
  });
});

describe("DMS", () => {
  test("a task deleted", () => {
    const live = standing();
    if (!live.dms.reachable) throw new Error("unreachable");
    expect(told({ ...live, dms: { reachable: true, tasks: live.dms.tasks.slice(1) } })).toEqual([
      "task-missing | DMS task shop-orders | a task that replicates 2 collections of shop | no task of that name | roundtrip apply creates it again; its checkpoint is gone, so its collections are loaded in full",
    ]);
  });

  test("a task nobody declares", () => {
    const live = standing();
    if (!live.dms.reachable) throw new Error("unreachable");
    const extra = { ...live.dms.tasks[0]!, id: "by-hand" };
    expect(told({ ...live, dms: { reachable: true, tasks: [...live.dms.tasks, extra] } })).toEqual([
      "task-extra | DMS task by-hand | no task on this replication instance or these endpoints that tasks.yaml doesn't have | running | add it to tasks.yaml (roundtrip adopt takes over what exists), or stop and delete it in DMS",
    ]);
  });

  test("mappings: a collection gone, one more, other options", () => {
    const locator = (table: string) => ({ "schema-name": "shop", "table-name": table });
    const rule = (table: string) => ({
      "rule-type": "selection",
      "rule-action": "explicit",
      "object-locator": locator(table),
    });
    const mappings = {
      rules: [
        { ...rule("lines"), "load-order": "3" },
        rule("refunds"),
        {
          "rule-type": "table-settings",
          "object-locator": locator("lines"),
          "parallel-load": { type: "partitions-auto", "number-of-partitions": 4 },
        },
      ],
    };
    expect(told(withTask({ mappings }))).toEqual([
      "task-mappings | DMS task shop-orders | mappings of 2 collections: orders, lines | without shop.orders; also shop.refunds; other options for shop.lines | roundtrip runbook tasks-pause, terraform apply (the stack sets it back), roundtrip runbook tasks-resume; or merge what was changed into tasks.yaml",
    ]);
    expect(told(withTask({ mappings: "{torn" }))[0]).toContain("text that is no table mappings");
    expect(told(withTask({ mappings: { rules: [7] } }))[0]).toContain("text that is no table mappings");
  });

  test("settings, only those tasks.yaml decides", () => {
    const live = withTask({});
    if (!live.dms.reachable) throw new Error("unreachable");
    const settings = JSON.parse(JSON.stringify(live.dms.tasks[0]!.settings));
    settings.FullLoadSettings.CommitRate = 500;
    delete settings.TargetMetadata.FullLobMode;
    settings.Logging.EnableLogging = false;
    expect(told(withTask({ settings }))).toEqual([
      "task-settings | DMS task shop-orders | settings as tasks.yaml says | TargetMetadata.FullLobMode not set, expected true, FullLoadSettings.CommitRate 500, expected 10000 | roundtrip runbook tasks-pause, terraform apply (the stack sets it back), roundtrip runbook tasks-resume; or merge what was changed into tasks.yaml",
    ]);
    expect(told(withTask({ settings: null }))[0]).toContain("text that is no task settings");
  });

  test("should run but doesn't, with why; should stand still but runs", () => {
    const failed = { status: "failed", stopReason: "FATAL_ERROR", lastFailure: "oplog rolled over" };
    expect(told(withTask(failed))).toEqual([
      "task-stopped | DMS task shop-orders | running | failed; FATAL_ERROR; oplog rolled over | mend what the reason names, then start it with roundtrip runbook tasks-resume; stopped for longer than MongoDB's oplog reaches back it has to be loaded again",
    ]);
    const live = standing("dev");
    if (!live.dms.reachable) throw new Error("unreachable");
    const all = live.dms.tasks.map((task) => ({ ...task, status: "running" }));
    expect(told({ ...live, dms: { reachable: true, tasks: all } })).toEqual([
      "task-running | DMS task billing | stopped, as tasks.yaml says running: false | running | pause it with roundtrip runbook tasks-pause, or say running: true in tasks.yaml",
    ]);
  });

  test("a task that writes through another endpoint", () => {
    const live = standing();
    if (!live.dms.reachable) throw new Error("unreachable");
    const { tasks: all } = live.dms;
    const told_ = (ids: readonly string[]) => {
      const endpoints = new Map(all.map(({ targetEndpointArn }, index) => [targetEndpointArn, ids[index]!]));
      return told({ ...live, dms: { reachable: true, tasks: all, endpoints } });
    };
    expect(told_(["documentdb-shop", "documentdb-billing"])).toEqual([]);
    expect(told_(["by-hand", "documentdb-billing"])).toEqual([
      "task-endpoint | DMS task shop-orders | target endpoint documentdb-shop | by-hand | a DMS task can't change its endpoint: delete it in DMS, then roundtrip apply creates it and loads in full; or name the endpoint under targetEndpoints in tasks.yaml",
    ]);
  });

  test("a table that failed while its task runs", () => {
    const table = {
      schema: "shop",
      table: "orders",
      state: "Table error",
      fullLoadRows: 0,
      inserts: 0,
      updates: 0,
      deletes: 0,
    };
    expect(told(withTask({ tables: [table] }))).toEqual([
      "table-failed | DMS task shop-orders | every collection loaded and followed | shop.orders: Table error | read the task's log for the cause, mend it, then reload just these tables in DMS",
    ]);
  });
});

describe("databases", () => {
  test("a collection dropped on DocumentDB", () => {
    expect(told(withCollections("documentdb", "shop", ["orders"]))).toEqual([
      "collection-missing | DocumentDB shop.lines | the collection that DMS task shop-orders writes | no such collection | create it with its unique indexes, then reload just this table in DMS: by itself DMS carries only what changes from now on",
    ]);
  });

  test("a collection neither side has: nothing is missing in it", () => {
    const live = withCollections("documentdb", "shop", ["orders"]);
    const source = withCollections("mongodb", "shop", ["orders"]);
    expect(told({ ...live, mongodb: source.mongodb })).toEqual([
      "collection-missing | DocumentDB shop.lines | the collection that DMS task shop-orders writes | no such collection | roundtrip apply: the create-user-db lambda creates it; MongoDB doesn't have it either, so nothing is missing in it",
    ]);
  });

  test("a collection nobody declares is drift where removal drops, a note where it keeps", () => {
    const names = ["orders", "lines", "old"];
    expect(told(withCollections("documentdb", "shop", names, "qa"))).toEqual([
      "collection-extra | DocumentDB shop.old | only collections of tasks.yaml | a collection with documents in it | add it to a task in tasks.yaml, or drop it once nobody needs it",
    ]);
    const prod = drift(withCollections("documentdb", "shop", names));
    expect([prod.verdict, prod.notes]).toEqual([
      "clean",
      [
        "DocumentDB shop.old: in no task, a collection with documents in it; prod keeps what was removed from tasks.yaml",
      ],
    ]);
  });

  test("collections of MongoDB: not there yet, and in no task", () => {
    expect(drift(withCollections("mongodb", "shop", ["orders", "carts"])).notes).toEqual([
      "MongoDB shop.carts: in no task, so a failover would be without it (a collection with documents in it)",
      "MongoDB shop.lines: declared, not there yet; DMS carries it as soon as it is",
    ]);
  });

  test("an index on one side only, either way", () => {
    const live = standing();
    const withIndex = (side: Read, index: string): Read => ({
      ...side,
      databases: side.databases.map(({ name, collections }) => ({
        name,
        collections: collections.map((each) =>
          each.name === "orders" ? { ...each, indexes: ["_id_", index] } : each,
        ),
      })),
    });
    const both = {
      ...live,
      mongodb: withIndex(live.mongodb, "by_day"),
      documentdb: withIndex(live.documentdb, "by_sku"),
    };
    expect(told(both)).toEqual([
      "index-missing | DocumentDB shop.orders index by_day | the index that MongoDB has | no index of that name | create it on DocumentDB (DMS copies no secondary indexes), or drop it on MongoDB",
      "index-missing | MongoDB shop.orders index by_sku | the index that DocumentDB has | no index of that name | create it on MongoDB (DMS copies no secondary indexes), or drop it on DocumentDB",
    ]);
  });
});

describe("users", () => {
  const withUsers = (users: Read["users"]): LiveState => {
    const live = standing();
    return { ...live, documentdb: { ...live.documentdb, users } };
  };
  const [application, dms] = standing().documentdb.users;

  test("missing", () => {
    expect(told(withUsers([application!]))).toEqual([
      "user-missing | DocumentDB user dms | the replication user of DMS | no such user | roundtrip apply creates the replication user; create an application user as docs/users-and-secrets.md says",
    ]);
  });

  test("an application user that writes in normal times; during a failback it may", () => {
    const writes = withUsers([{ name: "application", roles: [{ role: "readWrite", db: "shop" }] }, dms!]);
    expect(told(writes)).toEqual([
      "user-over-privileged | DocumentDB user application | to read only, because MongoDB is the source: what it writes here is in no log and DMS overwrites it | readWrite@shop | make the application user read-only on DocumentDB; failback-start gives it its rights when they are needed",
    ]);
    expect(told(writes, { phase: "capturing" })).toEqual([]);
  });

  test("somebody nobody lists who writes", () => {
    const stranger = { name: "intern", roles: [{ role: "root", db: "admin" }] };
    expect(told(withUsers([application!, dms!, stranger]))).toEqual([
      "user-over-privileged | DocumentDB user intern | that only users the environment lists can write: a failback stops at any other | root@admin | revoke what writes, or list the user as other writer or administrator in the environment's tfvars",
    ]);
    const reader = { name: "reports", roles: [{ role: "read", db: "shop" }] };
    expect(told(withUsers([application!, dms!, reader]))).toEqual([]);
  });

  test("the replication user: too little, too much", () => {
    const odd = {
      name: "dms",
      roles: [
        { role: "readWrite", db: "shop" },
        { role: "userAdminAnyDatabase", db: "admin" },
        { role: "readWrite", db: "hr" },
      ],
    };
    expect(told(withUsers([application!, odd]))).toEqual([
      "user-over-privileged | DocumentDB user dms | to write the databases of tasks.yaml and nothing else | userAdminAnyDatabase@admin, readWrite@hr | roundtrip apply: the create-user-db lambda gives it its own roles again",
      "user-under-privileged | DocumentDB user dms | the right to write every database of tasks.yaml | none on billing | roundtrip apply: the create-user-db lambda grants it",
    ]);
  });

  test("a custom role is said, because an inspection doesn't show what it may", () => {
    const custom = { name: "application", roles: [{ role: "appReader", db: "admin" }] };
    expect(drift(withUsers([custom, dms!])).notes).toEqual([
      "DocumentDB user application: custom role appReader@admin, not looked into",
    ]);
  });
});

describe("git and Terraform", () => {
  test("tasks.yaml was merged and not applied, only where it makes a difference", () => {
    const head = {
      name: "HEAD",
      tasks: tasksOf(
        "id: shop-orders, database: shop, collections: [orders, {name: lines, parallelLoad: {partitions: 4}}, returns], owners: [x]",
        "id: billing, database: billing, collections: [invoices], owners: [x]",
      ),
    };
    expect(told(standing(), { head })).toEqual([
      "not-applied | tasks.yaml, task shop-orders | as commit 0123456789ab, which was applied | HEAD differs: modify-and-resume | see roundtrip plan --env prod, then roundtrip apply",
    ]);
    expect(told(standing("dev"), { head }).map((line) => line.split(" | ")[3])).toEqual([
      "HEAD differs: it is started or stopped",
      "HEAD differs: modify-and-resume",
    ]);
  });

  test("nothing was ever applied", () => {
    const empty = { ...standing(), dms: { reachable: true as const, tasks: [] } };
    expect(told(empty, { applied: undefined })).toEqual([
      "never-applied | environment prod | a record of what was last applied | none; compared with tasks.yaml as git has it | roundtrip apply, or roundtrip adopt for a set-up that was there before",
    ]);
  });

  test("changed and deleted behind Terraform's back, one finding an address", () => {
    const change = (
      address: string,
      type: string,
      action: "create" | "update" | "replace" | "delete",
      ...attributes: string[]
    ) => ({ address, type, action, attributes });
    const terraform = {
      planned: [
        change("aws_s3_bucket.log", "aws_s3_bucket", "create"),
        change("aws_docdb_cluster.main", "aws_docdb_cluster", "replace", "engine"),
        change("aws_ssm_document.run", "aws_ssm_document", "update", "content"),
      ],
      drifted: [
        change("aws_s3_bucket.log", "aws_s3_bucket", "delete"),
        change("aws_dms_endpoint.x", "aws_dms_endpoint", "update", "server_name"),
        change("aws_dms_replication_task.x", "aws_dms_replication_task", "update", "status"),
      ],
    };
    expect(told(standing(), { terraform })).toEqual([
      "terraform-changed | aws_dms_endpoint.x | as the configuration says | changed behind Terraform's back: server_name | roundtrip apply brings it back; when the change is meant, write it into the configuration",
      "terraform-changed | aws_docdb_cluster.main | as the configuration says | Terraform would replace it (engine) | don't apply it as it is: all its data goes with it; undo what makes Terraform do it; upgrades are made in place",
      "terraform-changed | aws_s3_bucket.log | as the configuration says | deleted behind Terraform's back | roundtrip apply brings it back; when the change is meant, write it into the configuration",
      "terraform-changed | aws_ssm_document.run | as the configuration says | Terraform would update it (content) | roundtrip apply brings it back; when the change is meant, write it into the configuration",
    ]);
    expect(drift(standing(), { terraform: undefined }).notes).toEqual([
      "Terraform was not looked at: give --terraform the JSON of a plan",
    ]);
  });
});

test("an apply that is under way is said: what it changes is nobody's drift", () => {
  const report = drift(withTask({ status: "stopped" }), { underWay: ["apply a-1 is not finished"] });
  expect([report.verdict, report.notes]).toEqual([
    "drift",
    ["apply a-1 is not finished; what it changes may show here"],
  ]);
});

describe("unknown", () => {
  const unread = { reachable: false as const, reason: "host i-1 is stopped" };

  test("a side that was not read is never clean", () => {
    for (const side of ["dms", "mongodb", "documentdb"] as const) {
      const report = drift({ ...standing(), [side]: unread });
      expect([report.verdict, report.findings]).toEqual(["unknown", []]);
      expect(report.unread).toEqual([{ area: side, reason: "host i-1 is stopped" }]);
    }
  });

  test("what differs is told although another side was not read", () => {
    const report = drift({ ...withTask({ status: "failed" }), mongodb: unread });
    expect([report.verdict, report.unread.length]).toEqual(["drift", 1]);
  });
});
