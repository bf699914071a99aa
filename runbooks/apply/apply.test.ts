import { describe, expect, test } from "bun:test";
import { writeJson } from "../../adapters/state/json.ts";
import { applyOperation } from "./runbook.ts";
import { FakeApply } from "./testing.ts";

const file = (shop: string, billing = "id: billing, database: billing, collections: [invoices]") =>
  `version: 1\ntasks:\n  - {id: shop, database: shop, collections: [${shop}]}\n  - {${billing}}\n`;
const base = file("orders");

/** `notes` is added to the task `shop`; MongoDB has three of them, and so has DocumentDB once they are loaded. */
function adding(head = file("orders, notes")): FakeApply {
  const apply = new FakeApply(base, head);
  apply.mongodb = { "shop.orders": 3, "shop.notes": 3, "billing.invoices": 3 };
  apply.documentdb = { "shop.orders": 3, "billing.invoices": 3 };
  apply.onReload = (table) => {
    apply.documentdb = apply.mongodb;
    return apply.load(table);
  };
  return apply;
}

test("adding a collection: only its task is stopped, changed, resumed, and only it is loaded", async () => {
  const apply = adding();
  const report = await apply.run();
  expect(report.error).toBeUndefined();
  expect(apply.calls).toEqual([
    "stop shop",
    "terraform apply",
    "invoke create-user-db",
    "start shop resume-processing",
    "reload shop notes",
  ]);
  expect(report.steps.find(({ name }) => name === "score")?.outcome?.note).toBe("3 of 3 predictions right");
});

test("when DMS loads new collections of a resumed task by itself, nothing is loaded twice", async () => {
  const apply = adding();
  apply.onStart = (task) => {
    apply.documentdb = apply.mongodb;
    return {
      ...task,
      status: "running",
      tables: task.tables.map((table) => (table.state === "Before load" ? apply.load(table) : table)),
    };
  };
  expect((await apply.run()).error).toBeUndefined();
  expect(apply.calls.filter((call) => call.startsWith("reload"))).toEqual([]);
});

describe("nothing is changed", () => {
  const untouched = async (apply: FakeApply) => {
    const refusal = await apply.refusal();
    expect(apply.calls).toEqual([]);
    return refusal;
  };

  test("when Terraform would do something that wasn't reviewed", async () => {
    const apply = adding();
    const billing = {
      address: "task.billing",
      type: "aws_dms_replication_task",
      action: "replace",
      identifier: "billing",
      attributes: ["target_endpoint_arn"],
    } as const;
    apply.terraformPlan = () => [...apply.differences(), billing];
    const refusal = await untouched(apply);
    expect(refusal).toStartWith(
      "infrastructure-plan: compare Terraform's plan with the one that was reviewed: expected the same changes of DMS, and none that loses data unannounced, got task.billing: Terraform replaces",
    );
    expect(refusal).toEndWith("Way out: mend what is named and run this again; nothing was changed");
  });

  test("when something else was applied since the plan was made", async () => {
    const apply = adding();
    const proposal = await apply.proposal();
    await writeJson(apply.fake.store, "applied/current.json", {
      ...proposal.base!.value,
      commit: "3".repeat(40),
      operationId: "dev-apply-other",
    });
    expect(await apply.refusal(proposal)).toBe(
      `unchanged: apply a plan that starts from commit ${"1".repeat(40)}: expected that still to be what was last applied, got commit ${"3".repeat(40)}, applied 2026-11-21T10:00:00.000Z by ben. Way out: plan again, have the new plan reviewed, and apply its digest`,
    );
    expect(apply.calls).toEqual([]);
  });

  test("when a database can't be read: unknown is never empty", async () => {
    const apply = adding();
    apply.documentdb = "connect to DocumentDB: no answer";
    expect(await untouched(apply)).toBe(
      "targets-empty: read what stands on DocumentDB: expected its databases and collections, got connect to DocumentDB: no answer. Way out: mend the connection from the operations host, then run this again",
    );
  });

  test("when a collection was renamed while its task ran", async () => {
    const apply = adding(file("{name: requests, renamedFrom: orders}"));
    apply.mongodb = { "shop.requests": 3 };
    expect(await untouched(apply)).toBe(
      "targets-empty: rename shop.orders to requests: expected DMS task shop paused before the collection was renamed on MongoDB, got the collection has its new name, and the task runs: changes since the rename were not carried. Way out: take renamedFrom out, so that requests is planned as a new collection and loaded again; have that reviewed",
    );
  });

  test("when a whole task is to be loaded again over documents that DMS would leave as they are", async () => {
    const limited = file("orders").replace(
      "[orders]",
      "[orders], settings: {lob: {mode: limited, maxKilobytes: 32}}",
    );
    const apply = new FakeApply(limited, base);
    apply.documentdb = { "shop.orders": 1 };
    expect(await untouched(apply)).toContain(
      "targets-empty: load shop.orders into DocumentDB: expected each of them empty or not there",
    );
  });
});

describe("an apply that stops on its way", () => {
  test("Terraform disagrees only once the tasks stand still: said that they are paused", async () => {
    const apply = adding();
    let plans = 0;
    apply.terraformPlan = () => (plans++ === 0 ? apply.differences() : []);
    expect(await apply.refusal()).toBe(
      "infrastructure: compare Terraform's plan with the one that was reviewed: expected the same changes of DMS, and none that loses data unannounced, got DMS task shop: the plan of tasks.yaml says modify-and-resume, Terraform does nothing with it; way out: plan Terraform from the same commit as tasks.yaml, with the state of this environment. Way out: mend what is named and run this again; nothing was changed, but the affected tasks are paused: roundtrip runbook tasks-resume",
    );
  });

  test("Terraform says that it is done, and DMS is as before", async () => {
    const apply = adding();
    apply.terraformApply = () => {};
    expect(await apply.refusal()).toBe(
      "infrastructure: see that DMS is as Terraform was to make it: expected every affected task as tasks.yaml says, got shop: mappings: without shop.notes. Way out: see that Terraform reads tasks.yaml of the same commit, then run this again",
    );
  });

  test("the published environment names another task", async () => {
    const apply = adding();
    apply.published = () => [{ id: "shop", arn: "arn:old" }];
    expect(await apply.refusal()).toBe(
      "published: read the published environment dev: expected every task of tasks.yaml with the ARN it has in DMS, got shop: arn:old, billing: not named. Way out: see Terraform's output for the environment's parameter, then run this again",
    );
  });

  test("no function to make databases with", async () => {
    const apply = adding();
    apply.functionName = undefined;
    expect(await apply.refusal()).toBe(
      "provision: find the create-user-db function of environment dev: expected createUserDbFunction in the published environment, got none. Way out: apply the stack whose version has the lambda module, then run this again",
    );
  });

  test("DMS stops the task right after it started", async () => {
    const apply = adding();
    apply.onStart = (task) => ({
      ...task,
      status: "failed",
      stopReason: "RECOVERABLE_ERROR",
      lastFailure: "Last Error: target is full",
    });
    expect(await apply.refusal()).toBe(
      "load: DMS task shop ended during the apply: expected it running, as tasks.yaml says, got status failed, stop reason RECOVERABLE_ERROR, last failure: Last Error: target is full. Way out: mend what the reason names (endpoints, credentials, oplog, disk), then run this again: it goes on",
    );
  });

  test("DMS stops a task while its documents are counted; the next run starts it again", async () => {
    const apply = adding();
    let looks = 0;
    apply.onInspect = () => {
      if (++looks !== 2) return;
      // Seen while it is stopping, it has no reason yet.
      const stopped = { status: "stopped", stopReason: "STOPPED_DUE_TO_LOW_DISK" };
      apply.set({ ...apply.dms.get("shop")!, status: "stopping" });
      setImmediate(() => apply.set({ ...apply.dms.get("shop")!, ...stopped }));
    };
    expect(await apply.refusal()).toStartWith(
      "prove: DMS task shop ended during the apply: expected it running, as tasks.yaml says, got status stopped, stop reason STOPPED_DUE_TO_LOW_DISK, no failure message.",
    );
    apply.calls.length = 0;
    expect((await apply.run()).error).toBeUndefined();
    expect(apply.calls).toEqual(["start shop resume-processing"]);
  });

  test("a new collection ends in a table error; the next run asks for a clean one first, and then loads just it", async () => {
    const apply = adding();
    const mended = apply.onReload;
    apply.onReload = (table) => ({ ...table, state: "Table error" });
    expect(await apply.refusal()).toBe(
      "load: load the new collections of DMS task shop: expected every one of them loaded, got shop.notes: Table error. Way out: read the task's log for the cause and mend it, then run this again: it loads just these",
    );
    apply.onReload = mended;
    apply.documentdb = { "shop.orders": 3, "shop.notes": 1 };
    expect(await apply.refusal()).toBe(
      "load: load shop.notes, after a load that broke off or never began: expected each of them empty on DocumentDB, because DMS leaves documents it finds as they are, got shop.notes has 1 document. Way out: delete their documents on DocumentDB when they came from such a load, then run this again",
    );
    apply.documentdb = { "shop.orders": 3, "shop.notes": 0 };
    apply.calls.length = 0;
    expect((await apply.run()).error).toBeUndefined();
    expect(apply.calls).toEqual(["reload shop notes"]);
  });

  test("a load that takes longer than a runner may", async () => {
    const apply = adding();
    apply.onReload = (table) => ({ ...table, state: "Full load" });
    expect(await apply.refusal()).toBe(
      "load: wait for DMS task shop: expected every new collection to be loaded within 18000 s, got notes: Full load. Way out: DMS goes on; running this again goes on waiting",
    );
  });

  test("documents that don't arrive are no success", async () => {
    const apply = adding();
    apply.onReload = (table) => {
      apply.documentdb = { "shop.orders": 3, "shop.notes": 2 };
      return apply.load(table);
    };
    expect(await apply.refusal()).toBe(
      "prove: prove that shop.notes arrived whole: expected as many documents on DocumentDB as on MongoDB, once within 300 s, got shop.notes: 2 of 3. Way out: see the task's lag and its log; when many writes go on, run this again in a quieter minute: it only counts again",
    );
    apply.documentdb = apply.mongodb;
    apply.calls.length = 0;
    expect((await apply.run()).error).toBeUndefined();
    expect(apply.calls).toEqual([]);
  });

  test("DMS never leaves a passing status", async () => {
    const apply = adding();
    apply.set({ ...apply.dms.get("shop")!, status: "modifying" });
    expect(await apply.refusal()).toBe(
      "pause: wait for DMS task shop: expected a status that stays, within 600 s, got modifying. Way out: look at the task in the console; running this again goes on waiting",
    );
  });
});

test("a collection that was added while its task stood still is loaded when the task is started", async () => {
  const still = (shop: string) => file(shop).replace(`[${shop}]`, `[${shop}], running: false`);
  const apply = new FakeApply(still("orders, notes"), file("orders, notes"));
  const shop = apply.dms.get("shop")!;
  const tables = shop.tables.map(({ fullLoadStartedAt: _, ...table }) =>
    table.table === "notes"
      ? { ...table, state: "Before load", fullLoadRows: 0 }
      : { ...table, fullLoadStartedAt: "1" },
  );
  apply.set({ ...shop, status: "stopped", tables });
  apply.mongodb = { "shop.orders": 3, "shop.notes": 3 };
  apply.documentdb = { "shop.orders": 3 };
  const report = await apply.run();
  expect(report.error).toBeUndefined();
  expect(apply.calls).toEqual(["invoke create-user-db", "start shop resume-processing", "reload shop notes"]);
  expect(report.steps.find(({ name }) => name === "score")?.outcome?.note).toContain(
    "happened started or stopped with notes loaded",
  );
});

test("a task that must be loaded again as a whole is reloaded once, however often the apply is run", async () => {
  const dropping = "environments: {dev: {settings: {targetPreparation: drop-tables}}}";
  const settings = (lob: string) => `settings: {lob: ${lob}}, ${dropping}`;
  const shop = (lob: string) => file("orders").replace("[orders]", `[orders], ${settings(lob)}`);
  const apply = new FakeApply(shop("{mode: limited, maxKilobytes: 32}"), shop("{mode: full}"));
  apply.mongodb = { "shop.orders": 3 };
  apply.documentdb = { "shop.orders": 2 };
  apply.terraformPlan = () => [
    {
      address: "task.shop",
      type: "aws_dms_replication_task",
      action: "update",
      identifier: "shop",
      attributes: ["replication_task_settings"],
    },
  ];
  expect(await apply.refusal()).toContain("prove: prove that shop.orders arrived whole");
  expect(apply.calls).toEqual([
    "stop shop",
    "terraform apply",
    "invoke create-user-db",
    "start shop reload-target",
  ]);
  apply.documentdb = apply.mongodb;
  apply.calls.length = 0;
  const report = await apply.run();
  expect(report.error).toBeUndefined();
  expect(apply.calls).toEqual([]);
  expect(report.steps.find(({ name }) => name === "score")?.outcome?.note).toBe("2 of 2 predictions right");
});

test("a commit that changes nothing in tasks.yaml touches no task, and is recorded", async () => {
  const apply = new FakeApply(base, base);
  const report = await apply.run();
  expect(report.error).toBeUndefined();
  expect(apply.calls).toEqual(["invoke create-user-db"]);
  expect(report.steps.find(({ name }) => name === "record")?.outcome?.note).toBe(`commit ${"2".repeat(40)}`);
});

test("a lost DMS stays lost: what failed in one task is thrown once the others have ended", async () => {
  const both = file("orders, notes", "id: billing, database: billing, collections: [invoices, payments]");
  const apply = adding(both);
  const ended: string[] = [];
  apply.onStart = (task) => {
    ended.push(task.id);
    if (task.id === "billing") throw new Error("no answer");
    return { ...task, status: "running" };
  };
  expect((await apply.run()).steps.find(({ state }) => state === "failed")?.name).toBe("start");
  expect(ended.sort()).toEqual(["billing", "shop"]);
});

test("run again after it stopped, the same operation goes on where it was", async () => {
  const apply = adding();
  apply.published = () => [];
  const first = await apply.run();
  expect(first.error).toBeDefined();
  apply.published = () => [...apply.dms.values()].map(({ id, arn }) => ({ id, arn }));
  apply.calls.length = 0;
  const second = await apply.run();
  expect(second.operationId).toBe(first.operationId!);
  expect(second.error).toBeUndefined();
  expect(apply.calls).toEqual(["invoke create-user-db", "start shop resume-processing", "reload shop notes"]);
});

test("one apply loads a collection and dies; another with one collection more carries on and loads only that", async () => {
  const apply = adding();
  apply.onStart = (task) => ({ ...task, status: "running" });
  let broken = true;
  apply.onReload = (table) => {
    apply.documentdb = {
      "shop.orders": 3,
      "shop.notes": broken ? 2 : 3,
      ...(broken ? {} : { "shop.returns": 3 }),
    };
    return apply.load(table);
  };
  expect((await apply.run()).error).toBeDefined();
  broken = false;
  apply.mongodb = { "shop.orders": 3, "shop.notes": 3, "shop.returns": 3 };
  apply.merge(file("orders, notes, returns"));
  apply.calls.length = 0;
  const report = await apply.run();
  expect(report.error).toBeUndefined();
  expect(apply.calls.filter((call) => call.startsWith("reload"))).toEqual(["reload shop returns"]);
  expect(apply.fake.said.join("\n")).toContain(
    "was never finished and had other inputs: this run supersedes it",
  );
});

test("the steps a page names are those of the code", async () => {
  const page = await Bun.file(new URL("../../docs/apply.md", import.meta.url)).text();
  const apply = adding();
  const { steps } = applyOperation(await apply.proposal(), {} as never, { accept: [] });
  const named = [...page.matchAll(/^(\d+)\. `([a-z-]+)`: /gm)].map(([, number, step]) => `${number} ${step}`);
  expect(named).toEqual(steps.map(({ name }, index) => `${index + 1} ${name}`));
});
