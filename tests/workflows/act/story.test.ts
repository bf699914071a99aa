/** The workflows, run: what a developer, a reviewer and a person on call see on GitHub, in the order in which they see it. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { WorkflowWorld } from "./world.ts";

setDefaultTimeout(300_000);

const tasksYaml = (orders: string) => `version: 1
defaults:
  owners: [team-shop]
tasks:
  - id: shop
    database: shop_orders
    collections: [${orders}]
`;

describe("tasks.yaml on GitHub", () => {
  let world: WorkflowWorld;
  beforeAll(async () => {
    world = await WorkflowWorld.start(tasksYaml("orders"));
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  test("a pull request that adds a collection is validated, planned, and gets one comment", async () => {
    const pull = await world.open({ "tasks.yaml": tasksYaml("orders, order_items") });
    const ran = await world.onPull("plan", pull);
    const offline = ran.job("validate, and plan without credentials");
    expect(offline.log).toContain("tasks.yaml: valid");
    expect(offline.log).toContain("planned with credentials: it changes tasks.yaml and pages alone");
    expect(offline.summary).toStartWith("### Plan: 1 to modify-and-resume, 0 unchanged");
    expect(ran.job("plan dev").succeeded).toBe(true);
    expect(ran.code).toBe(0);
    const comments = await world.github.comments(pull.number);
    expect(comments).toHaveLength(1);
    expect(comments[0]).toContain("## dev");
    expect(comments[0]).toContain("order&#95;items");
  });
});
