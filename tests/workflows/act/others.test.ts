/**
 * The workflows that are not in the story: each runs to its plan, or to its refusal; and the search for secrets can fail.
 * WORKFLOWS=all (`make test-workflows`) takes each of them, else a sample.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { operations, runbooks } from "../../../runbooks/catalog.ts";
import { workflows } from "../read.ts";
import { runInStory } from "./in-story.ts";
import { leaks, placesOf, secretsOf } from "./secrets.ts";
import { WorkflowWorld } from "./world.ts";

setDefaultTimeout(180_000);

const tasksYaml =
  "version: 1\ndefaults:\n  owners: [team-shop]\ntasks:\n  - {id: shop, database: shop_orders, collections: [orders]}\n";
/** What has to be given, because it has no default. */
const given: Readonly<Record<string, string>> = {
  change: "password",
  "old-username": "dms_b",
  user: "shop",
  version: "0.1.0",
  checksum: "a".repeat(64),
  schedule: "0 */6 * * *",
};

const others = [...runbooks, ...operations].filter(({ name }) => !runInStory.includes(name));
const all = process.env.WORKFLOWS === "all";

let world: WorkflowWorld;
beforeAll(async () => {
  world = await WorkflowWorld.start("other", tasksYaml);
  await world.apply.source.db("shop_orders").collection("orders").insertOne({ n: 1 });
});
afterAll(() => world?.[Symbol.asyncDispose](), 120_000);

describe("a runbook's workflow shows what it would do", () => {
  const sample = ["first-start", "rotate-credentials", "unlock"];
  const tried = others.filter(({ name }) => all || sample.includes(name));

  test.each(tried.map((runbook) => [runbook.name, runbook] as const))(
    "%s",
    async (name, { inputs, steps }) => {
      const needed = inputs.filter((input) => input.default === undefined).map((input) => input.name);
      expect(needed.filter((input) => given[input] === undefined)).toEqual([]);
      const ran = await world.dispatch(name, {
        environment: "dev",
        mode: "plan",
        ...Object.fromEntries(needed.map((input) => [input, given[input]!])),
      });
      const { summary, log, succeeded } = ran.job(name);
      expect(`${succeeded} ${succeeded ? "" : log}`).toBe("true ");
      // It runs Terraform, too: a command of its own.
      expect(summary).toStartWith(name === "unlock" ? "### unlock\n" : `### runbook ${name}\n`);
      expect(summary).toContain("Nothing is done in this mode.");
      expect(summary).toContain(steps[0]!.name);
    },
  );
});

describe("what is asked wrongly is refused with the way out, in the summary too", () => {
  test("an environment that nobody applied", async () => {
    const ran = await world.dispatch("status", { environment: "qa" });
    const { summary, succeeded } = ran.job("status");
    expect(succeeded).toBe(false);
    expect(ran.code).not.toBe(0);
    expect(summary).toStartWith("### ❌ status: exit code 6");
    expect(summary).toContain("/roundtrip/qa/environment");
    expect(summary).toContain("apply the stack of environment qa");
  });

  test("a choice that the form doesn't offer: act lets it pass, the program doesn't", async () => {
    const ran = await world.dispatch("rotate-credentials", {
      environment: "dev",
      mode: "run",
      change: "; id",
    });
    expect(ran.job("rotate-credentials").succeeded).toBe(false);
    expect(ran.job("rotate-credentials").summary).toStartWith(
      "### ❌ runbook rotate-credentials: exit code 2",
    );
  });

  // What it builds, uploads and publishes is run in tests/release; who signs is GitHub.
  test("a release of another version than the commit's: nothing is built", async () => {
    const ran = await world.dispatch("release", { tag: "v99.0.0" });
    expect(ran.job("release").succeeded).toBe(false);
    expect(ran.job("release").log).toContain("tag the commit whose package.json has that version");
    expect(ran.raw).not.toContain("Authenticated as");
  });

  test("a runbook out of its order", async () => {
    const ran = await world.dispatch("failback-reopen", { environment: "dev", mode: "run" });
    expect(ran.job("failback-reopen").succeeded).toBe(false);
    expect(ran.job("failback-reopen").summary).toStartWith("### ❌ runbook failback-reopen: exit code 3");
    expect(ran.job("failback-reopen").summary).toContain("failback-start");
  });
});

describe("looking", () => {
  test("preflight lists every check, and what is missing with its fix", async () => {
    const { summary } = (await world.dispatch("preflight", { environment: "dev" })).job("preflight");
    expect(summary).toContain("preflight");
    expect(summary).toMatch(/fix|way out/i);
  });

  test("logs shows a service's journal", async () => {
    const ran = await world.dispatch("logs", { environment: "dev", service: "replication" });
    expect(ran.job("logs").summary).toContain("logs");
  });
});

test("ci gets to the suites", async () => {
  const ran = await world.onPush("ci");
  expect(ran.job("every suite").log).toContain("every suite");
  expect(ran.code).toBe(0);
});

if (all)
  test("a job runs with the packages that npm itself installs", async () => {
    world.installPackages();
    const ran = await world.dispatch("status", { environment: "dev" });
    expect(ran.job("status").log).toContain("packages in ");
    expect(ran.job("status").succeeded).toBe(true);
  });

test("every workflow is run, here or in the story", () => {
  const called = ["apply-environment"]; // by apply
  const run = [
    ...world.runs.map(({ workflow }) => workflow),
    ...runInStory,
    ...others.map(({ name }) => name),
  ];
  const known = new Set([...run, ...called]);
  expect(workflows.map(({ file }) => file).filter((file) => !known.has(file))).toEqual([]);
});

describe("a secret that is planted is found", () => {
  const leak = (run: string, password: string) =>
    `on: workflow_dispatch\njobs:\n  leak:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: ${run}\n        env:\n          PASSWORD: ${password}\n`;

  test("in a log, a summary, a command line, a comment, an object's key", async () => {
    const secrets = await secretsOf(world);
    const [password = "", what] = [...secrets].find(([, name]) => name.endsWith("/shop"))!;
    expect(leaks(secrets, await placesOf(world))).toEqual([]);
    const runs = {
      "leak-log": 'echo "$PASSWORD"',
      "leak-summary": 'echo "$PASSWORD" >> "$GITHUB_STEP_SUMMARY"',
      "leak-argv": `bash -c 'sleep 0.5; true' "$PASSWORD"`,
    };
    for (const [name, run] of Object.entries(runs))
      await world.dispatch(name, {}, { [`.github/workflows/${name}.yml`]: leak(run, password) });
    const pull = await world.open({ "tasks.yaml": `${tasksYaml}# more\n` });
    await world.github.comment(pull.number, `see ${Buffer.from(password).toString("base64")}`);
    await world.apply.store.put(`dumps/${password}`, new TextEncoder().encode("dump"));
    const found = leaks(secrets, await placesOf(world));
    expect(found).toEqual(
      expect.arrayContaining([
        `${what} in act's log of leak-log`,
        `${what} in act's log of leak-summary`,
        `${what} in a command line`,
        `${what} in a comment of #${pull.number}`,
        `${what} in a key of the bucket`,
      ]),
    );
    expect(found).not.toContain(`${what} in act's log of leak-argv`);
  });
});
