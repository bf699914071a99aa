import { describe, expect, test } from "bun:test";
import Ajv2020 from "ajv/dist/2020.js";
import schema from "../../schemas/plan.schema.json";
import { publishedAs, standingAs } from "../drift/testing.ts";
import type { LiveCollection, LiveState } from "../live/live-state.ts";
import type { EnvironmentName, Tasks } from "../tasks/model.ts";
import { livePlan } from "./live-plan.ts";
import type { Plan } from "./model.ts";
import { renderMarkdown } from "./render-markdown.ts";
import { renderTerminal } from "./render-terminal.ts";
import { planOf, tasksOf } from "./testing.ts";

const base = tasksOf(
  "id: shop-orders, database: shop, collections: [orders, lines]",
  "id: billing, database: billing, collections: [invoices]",
);
const head = tasksOf(
  "id: shop-orders, database: shop, collections: [orders, lines, returns]",
  "id: stock, database: stock, collections: [items]",
);
const unread = { reachable: false as const, reason: "i-1 is stopped; way out: start the operations host" };

function looked(
  live: LiveState,
  { from = base, to = head, phase = "normal" }: { from?: Tasks; to?: Tasks; phase?: string } = {},
): Plan {
  const name = live.environment as EnvironmentName;
  const plan = planOf(from, to);
  const environment = publishedAs(from, name);
  return {
    ...plan,
    live: livePlan({ plan, name, environment, base: from, head: to, live, phase, underWay: [] }),
  };
}

/** The base as it stands, with more collections on one side. */
function standing(
  name: EnvironmentName,
  more: Partial<Record<"mongodb" | "documentdb", Record<string, number>>> = {},
): LiveState {
  const live = standingAs(base, name);
  const withMore = (side: "mongodb" | "documentdb") => {
    const databases = new Map(live[side].databases.map((each) => [each.name, [...each.collections]]));
    for (const [namespace, documents] of Object.entries(more[side] ?? {})) {
      const [database = "", collection = ""] = namespace.split(".");
      const made: LiveCollection = {
        name: collection,
        documents,
        bytes: documents * 1000,
        estimated: true,
        indexes: ["_id_"],
      };
      databases.set(database, [...(databases.get(database) ?? []), made]);
    }
    return {
      ...live[side],
      databases: [...databases].map(([each, collections]) => ({ name: each, collections })),
    };
  };
  return { ...live, mongodb: withMore("mongodb"), documentdb: withMore("documentdb") };
}

const source = { "shop.returns": 1_200_000, "stock.items": 40 };

test("dev: what is dropped, what is loaded and how long, what the replication user gets", () => {
  const plan = looked(standing("dev", { mongodb: source }));
  expect(plan.live).toMatchObject({
    phase: "normal",
    unknown: [],
    divergence: [],
    occupied: [],
    losses: [
      { kind: "database", name: "billing", collections: 1, size: { documents: 1000, bytes: 1_000_000 } },
    ],
    grants: [{ user: "dms", role: "readWrite", database: "stock" }],
  });
  // 1,000 documents a minute were measured in each of three loads.
  expect(plan.live?.loads).toEqual([
    {
      task: "stock",
      collections: 1,
      documents: 40,
      bytes: 40_000,
      minutes: 0.1,
      from: ["MongoDB's count", "speed of 3 finished loads here"],
      unknown: [],
    },
    expect.objectContaining({ task: "shop-orders", documents: 1_200_000, minutes: 1200 }),
  ]);
  const text = renderTerminal(plan);
  expect(text).toContain("dev: database billing: 1 collection, 1,000 documents, 1.0 MB go with it");
  expect(text).toContain(
    "about 1,200,000 documents, 1.2 GB, 1200 min (MongoDB's count; speed of 3 finished loads here)",
  );
  expect(text).toContain("dev: user dms gets readWrite on stock");
});

test("prod drops nothing and says what stays", () => {
  const plan = looked(standing("prod", { mongodb: source, documentdb: { "shop.old": 7 } }));
  expect(plan.live?.losses).toEqual([]);
  const text = renderTerminal(plan);
  expect(text).toContain("prod: 1 collection on DocumentDB in no task, left as they are: shop.old");
  expect(text).not.toContain("go with it");
});

test("the place of a new collection that isn't empty is in the way; an empty one isn't", () => {
  const plan = looked(
    standing("qa", { mongodb: source, documentdb: { "shop.returns": 3, "stock.items": 0 } }),
  );
  expect(plan.live?.occupied).toEqual([
    { name: "shop.returns", size: { documents: 3, bytes: 3000, estimated: true } },
  ]);
  expect(renderTerminal(plan)).toContain(
    "shop.returns is new and its place on DocumentDB is not empty: about 3 documents, 3.0 kB; apply stops there with the choices",
  );
});

describe("tasks that aren't as they were applied", () => {
  test("stand in the way, with the fix", () => {
    const live = standing("prod", { mongodb: source });
    if (!live.dms.reachable) throw new Error("unreachable");
    const plan = looked({ ...live, dms: { reachable: true, tasks: live.dms.tasks.slice(1) } });
    expect(plan.live?.divergence).toMatchObject([{ kind: "task-missing", what: "DMS task shop-orders" }]);
    expect(renderTerminal(plan)).toContain(
      "DMS task shop-orders is not as it was applied: expected a task that replicates 2 collections of shop, got no task of that name; fix: roundtrip apply",
    );
  });

  test("a task the plan creates is there already", () => {
    const live = standing("prod", { mongodb: source });
    if (!live.dms.reachable) throw new Error("unreachable");
    const by = { ...live.dms.tasks[0]!, id: "stock" };
    const plan = looked({ ...live, dms: { reachable: true, tasks: [...live.dms.tasks, by] } });
    expect(plan.live?.divergence.map(({ what, expected, fix }) => [what, expected, fix])).toEqual([
      [
        "DMS task stock",
        "no task of that name, because this plan creates it",
        "roundtrip adopt takes over what exists; or stop and delete it in DMS",
      ],
    ]);
  });

  test("a failback that is open is in the way by itself", () => {
    const plan = looked(standing("prod", { mongodb: source }), { phase: "capturing" });
    expect(renderMarkdown(plan)).toContain(
      "a failback is open (phase capturing): apply is refused until it has ended",
    );
  });
});

describe("what could not be read is unknown, never nothing", () => {
  for (const side of ["dms", "documentdb", "mongodb"] as const)
    test(side, () => {
      const plan = looked({ ...standing("dev", { mongodb: source }), [side]: unread }, { to: base });
      const names = { dms: "DMS", documentdb: "DocumentDB", mongodb: "MongoDB" };
      for (const text of [renderTerminal(plan), renderMarkdown(plan)]) {
        expect(text).toContain(`UNKNOWN in part, ${names[side]} could not be read`);
        expect(text).toContain("i-1 is stopped; way out: start the operations host");
      }
    });

  test("sizes: DMS's statistics stand in for MongoDB, and what neither has is named", () => {
    const wider = tasksOf(
      "id: shop-orders, database: shop, collections: [orders, lines], settings: {lob: {mode: full}}",
      "id: stock, database: stock, collections: [items]",
      "id: billing, database: billing, collections: [invoices]",
    );
    const narrow = tasksOf(
      "id: shop-orders, database: shop, collections: [orders, lines], settings: {lob: {mode: limited, maxKilobytes: 8}}",
      "id: billing, database: billing, collections: [invoices]",
    );
    const plan = looked({ ...standing("prod"), mongodb: unread }, { from: narrow, to: wider });
    expect(plan.live?.loads).toMatchObject([
      {
        task: "shop-orders",
        documents: 2000,
        from: ["DMS's table statistics", "speed of 3 finished loads here"],
      },
      { task: "stock", unknown: ["items"], from: [] },
    ]);
    const text = renderTerminal(plan);
    expect(text).toContain("about 2,000 documents, bytes not known, 1 min (DMS's table statistics;");
    expect(text).toContain("size not known");
  });

  test("a drop with DocumentDB away", () => {
    const plan = looked({ ...standing("dev"), documentdb: unread });
    expect(renderTerminal(plan)).toContain("dev: database billing: what lies in it is not known");
  });

  test("no finished load to measure by: no time is made up", () => {
    const plan = looked({ ...standing("prod", { mongodb: source }), dms: { reachable: true, tasks: [] } });
    expect(renderTerminal(plan)).toContain("1.2 GB, time not known: no finished load here to measure by");
  });
});

test("a row more changes no digest, and everything keeps the schema", () => {
  const ajv = new Ajv2020({ allErrors: true });
  const validate = ajv.compile(schema);
  const plans = [
    looked(standing("prod", { mongodb: source, documentdb: { "shop.returns": 3 } })),
    looked(standing("prod", { mongodb: { ...source, "shop.returns": 1_200_001 } })),
    looked({ ...standing("dev"), dms: unread, documentdb: unread, mongodb: unread }),
    planOf(base, head),
  ];
  for (const plan of plans) {
    validate(JSON.parse(JSON.stringify(plan)));
    expect(validate.errors).toBeNull();
    expect(plan.digest).toBe(planOf(base, head).digest);
  }
});

test("500 changed tasks with live data: Markdown below GitHub's limit, losses, problems and obstacles first", () => {
  const ids = Array.from({ length: 500 }, (_, index) => index);
  const many = (collections: string) =>
    tasksOf(
      ...ids.map(
        (id) =>
          `id: task-number-${id}, database: a_longer_database_name_${id}, collections: [${collections}]`,
      ),
    );
  const [from, to] = [many("orders, customers"), many("orders, returns_of_goods")];
  const live = standingAs(from, "dev");
  const databases = live.documentdb.databases.map(({ name, collections }) => ({
    name,
    collections: [...collections, { name: "returns_of_goods", documents: 9, bytes: 9, indexes: [] }],
  }));
  if (!live.dms.reachable) throw new Error("unreachable");
  const stopped = live.dms.tasks.map((task) => ({ ...task, status: "failed" }));
  const plan: Plan = {
    ...looked(
      { ...live, dms: { reachable: true, tasks: stopped }, documentdb: { ...live.documentdb, databases } },
      { from, to },
    ),
    terraform: {
      environment: "dev",
      changes: { create: 0, update: 500, replace: 300, delete: 0 },
      resources: ids.map((id) => ({
        address: `aws_dms_replication_task.this["task-number-${id}"]`,
        action: "replace" as const,
        attributes: ["migration_type"],
      })),
      problems: ids.map(
        (id) => `aws_dms_replication_task.this["task-number-${id}"]: Terraform replaces it; way out: don't`,
      ),
      accepted: [],
    },
  };
  const text = renderMarkdown(plan);
  expect(text.length).toBeLessThan(65_536);
  const places = ["Terraform disagrees", "Data is dropped", "In the way", "destructive ones first"].map(
    (words) => text.indexOf(words),
  );
  expect(places).toEqual(places.toSorted((left, right) => left - right));
  expect(places[0]).toBeGreaterThan(0);
  expect(ids.filter((id) => !text.includes(`\`task-number-${id}\``))).toEqual([]);
});
