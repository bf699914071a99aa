/**
 * The workflows, run in the order in which people meet them: a developer, a reviewer, a person on call. Each summary is
 * compared with what that person has to see first, and with what it says to do next. `make test` takes the straight way
 * through; WORKFLOWS=all (`make test-workflows`) also what is refused, looked at, or done twice beside it.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Collection, MongoClient } from "mongodb";
import { steerAws } from "../../../sandbox/up/aws.ts";
import { secretName } from "../../../scripts/drill/provision/users.ts";
import type { ActJob, ActRun } from "./act.ts";
import { runInStory } from "./in-story.ts";
import type { Pull } from "./repository.ts";
import { leaks, placesOf, secretsOf } from "./secrets.ts";
import { WorkflowWorld } from "./world.ts";

setDefaultTimeout(180_000);

const tasksYaml = (...orders: string[]) => `version: 1
defaults:
  owners: [team-shop]
tasks:
  - id: shop
    database: shop_orders
    collections: [${orders.join(", ")}]
  - id: billing
    database: billing
    collections: [invoices]
`;
const database = "shop_orders";
const all = process.env.WORKFLOWS === "all";

/** A scene beside the straight way. */
function aside(name: string, scene: () => Promise<void>): void {
  if (all) test(name, scene);
}

let world: WorkflowWorld;
beforeAll(async () => {
  world = await WorkflowWorld.start("story", tasksYaml("orders"));
  for (const name of ["orders", "order_items"]) await source(name).insertMany([{ n: 1 }, { n: 2 }]);
  await world.apply.source.db("billing").collection("invoices").insertOne({ n: 1 });
});
afterAll(() => world?.[Symbol.asyncDispose](), 120_000);

const source = (name: string): Collection => world.apply.source.db(database).collection(name);
const target = (name: string): Collection => world.apply.target.db(database).collection(name);

/** The first line of a summary, and its line that says what to do next. */
function seen({ summary }: ActJob): { first: string; next: string } {
  const lines = summary.split("\n");
  return { first: lines[0] ?? "", next: lines.find((line) => line.startsWith("**Next**")) ?? "" };
}

/** A run that has to succeed; what was said, when it doesn't. */
function succeeded(ran: ActRun): ActRun {
  const failed = ran.jobs
    .filter((job) => !job.succeeded)
    .map(({ name, log }) => `${name}:\n${log.slice(-3000)}`);
  expect(failed).toEqual([]);
  expect(ran.code).toBe(0);
  return ran;
}

describe("a developer and a reviewer", () => {
  let adding: Pull;

  aside(
    "what is merged first is applied: Terraform makes the tasks, the collections are loaded",
    async () => {
      const ran = succeeded(await world.onPush("apply"));
      // qa and prod are not in ROUNDTRIP_ENVIRONMENTS.
      expect(ran.jobs.map(({ name }) => name.split("/").at(-1))).toEqual(["plan dev", "apply dev"]);
      const { first, next } = seen(ran.job("apply dev"));
      expect(first).toBe("## ✅ apply succeeded");
      expect(next).toContain("nothing");
      expect(await target("orders").countDocuments()).toBe(2);
    },
  );

  test("a pull request that adds a collection is validated, planned against dev, and gets one comment", async () => {
    adding = await world.open({ "tasks.yaml": tasksYaml("orders", "order_items") });
    for (const _again of all ? [1, 2] : [1]) {
      const ran = succeeded(await world.onPull("plan", adding));
      const offline = ran.job("validate, and plan without credentials");
      expect(offline.log).toContain("tasks.yaml: valid");
      expect(offline.summary).toContain("### Plan: 1 to modify-and-resume, 1 unchanged");
      expect(ran.job("plan dev").succeeded).toBe(true);
    }
    const comments = await world.github.comments(adding.number);
    expect(comments).toHaveLength(1);
    // On the straight way nothing was applied yet.
    const [headline, loaded] = all
      ? ["1 to modify-and-resume, 1 unchanged", "about 2 documents"]
      : ["2 to create, 0 unchanged", "about 4 documents"];
    expect(comments[0]).toContain(`## dev\n\n### Plan: ${headline}`);
    expect(comments[0]).toContain(loaded!);
    expect(comments[0]).toContain("Terraform in dev:");
  });

  test("a broken tasks.yaml fails at once, each mistake at its line of the pull request", async () => {
    const broken = `${tasksYaml("orders")}  - id: shop\n    database: other\n    collection: [things]\n`;
    const pull = await world.open({ "tasks.yaml": broken });
    const ran = await world.onPull("plan", pull);
    expect(ran.code).not.toBe(0);
    const lines = broken.split("\n");
    const { annotations, succeeded, summary } = ran.job("validate, and plan without credentials");
    expect(succeeded).toBe(false);
    expect(summary).toStartWith("### ❌ validate\n\n```text\ntasks.yaml:");
    expect(summary).not.toContain("::error");
    const shown = annotations
      .filter(({ level }) => level === "error")
      .map(({ file, line = 0, text }) => ({ file, at: lines[line - 1]?.trim(), text: text.split(";")[0] }));
    expect(shown).toContainEqual({
      file: "tasks.yaml",
      at: "- id: shop",
      text: 'tasks[2].id: "shop" is already the id of tasks[0]',
    });
    expect(shown).toContainEqual({
      file: "tasks.yaml",
      at: "collection: [things]",
      text: 'tasks[2].collection: unknown key "collection"',
    });
    expect(ran.jobs.filter(({ name }) => name.includes("plan dev"))).toEqual([]);
    expect(await world.github.comments(pull.number)).toEqual([]);
  });

  test("the merge is applied as it was planned: the collection is loaded, then followed", async () => {
    const reviewed = /sha256:[0-9a-f]{64}/.exec((await world.github.comments(adding.number))[0]!)?.[0];
    await world.merge(adding);
    const ran = succeeded(await world.onPush("apply"));
    expect(ran.job("plan dev").summary).toContain(reviewed!);
    const applied = ran.job("apply dev");
    expect(seen(applied).first).toBe("## ✅ apply succeeded");
    expect(applied.summary).toContain("order&#95;items: 2 documents");
    await source("order_items").insertOne({ n: 3 });
    await world.apply.replicated(database, "order_items", 3);
  });

  aside(
    "a merge that drops a collection is refused until somebody allows it on its pull request",
    async () => {
      const dropping = await world.open({ "tasks.yaml": tasksYaml("orders") });
      await world.merge(dropping);
      const refused = await world.onPush("apply");
      expect(refused.code).not.toBe(0);
      expect(refused.job("plan dev").log).toContain(
        "expected the label allow-destructive on its pull request",
      );
      expect(refused.jobs.filter(({ name }) => name.includes("apply dev"))).toEqual([]);
      expect(await target("order_items").countDocuments()).toBe(3);
      await world.update(dropping, { labels: ["allow-destructive"] });
      const ran = succeeded(await world.dispatch("apply"));
      expect(ran.job("plan dev").log).toContain("carries the label allow-destructive");
      expect(await world.apply.collections(database)).not.toContain("order_items");
    },
  );
});

describe("who gets credentials", () => {
  aside(
    "a pull request of code gets the base branch's programs without a role, until a code owner approved it",
    async () => {
      const owned = "console.log('OWNED');\nprocess.exit(0);\n";
      const pull = await world.open({ "scripts/roundtrip.ts": owned, "scripts/github.ts": owned });
      const ran = succeeded(await world.onPull("plan", pull));
      expect(ran.raw).not.toContain("OWNED");
      expect(ran.raw).not.toContain("Authenticated as");
      const [comment, ...more] = await world.github.comments(pull.number);
      expect(more).toEqual([]);
      expect(comment).toContain("planned with credentials once a code owner has approved this commit");
      const review = { user: { login: "olga" }, state: "APPROVED", commit_id: pull.head };
      await world.update(pull, { reviews: [review] });
      const approved = succeeded(await world.onPull("plan", pull, { event: "pull_request_review" }));
      expect(approved.job("plan dev").log).toContain("Authenticated as");
      expect(approved.raw).not.toContain("OWNED");
      expect(await world.github.comments(pull.number)).toEqual([expect.stringContaining("## dev")]);
    },
  );

  aside("a fork is planned from the two files alone; its plan stands in the summary", async () => {
    const fork = { full_name: "mallory/data" };
    const pull = await world.open({ "tasks.yaml": tasksYaml("orders", "order_items", "order_events") });
    await world.update(pull, { head: { sha: pull.head, repo: fork } });
    const ran = succeeded(await world.onPull("plan", pull, { home: fork.full_name }));
    expect(ran.jobs).toHaveLength(1);
    expect(ran.jobs[0]!.summary).toContain("### Plan: 1 to modify-and-resume, 1 unchanged");
    expect(ran.raw).not.toContain("Authenticated as");
    expect(await world.github.comments(pull.number)).toEqual([]);
  });
});

describe("normal times", () => {
  test("readiness says first that a failback would succeed", async () => {
    const ran = succeeded(await world.dispatch("readiness"));
    expect(ran.job("readiness of dev").summary).toMatch(/^<!-- roundtrip:readiness:dev -->\n### dev: READY/);
  });

  aside(
    "drift behind the back opens one issue, keeps it up to date, and closes it when all is as applied",
    async () => {
      await world.apply.tasks.stop("billing", 30);
      for (const _again of [1, 2]) {
        const ran = succeeded(await world.dispatch("drift"));
        expect(ran.job("drift of dev").log).toContain("dev: drift; issue #");
      }
      const drift = async () => (await world.github.issues()).filter(({ title }) => title === "Drift in dev");
      expect(await drift()).toMatchObject([{ state: "open", body: expect.stringContaining("billing") }]);
      await world.apply.tasks.start("billing", "resume-processing", 30);
      succeeded(await world.dispatch("drift"));
      expect(await drift()).toMatchObject([{ state: "closed" }]);
    },
  );
});

describe("a person on call", () => {
  const failback = (name: string, inputs: Readonly<Record<string, string>> = {}) =>
    world.dispatch(name, { environment: "dev", mode: "run", ...inputs });

  test("MongoDB is gone, with writes that DMS had not carried: start shows what it would do, then opens the failback", async () => {
    await world.apply.replicated(database, "orders", 2);
    await steerAws(world.apply.aws, "dms", { paused: true });
    await source("orders").insertOne({ tail: true });
    await world.apply.sandbox.database!.kill();
    await steerAws(world.apply.aws, "dms", { paused: false });
    if (all) {
      const planned = succeeded(await failback("failback-start", { mode: "plan", "stop-tasks": "true" }));
      expect(planned.jobs[0]!.summary).toContain("Nothing is done in this mode.");
      expect(await phase()).toStartWith("dev: phase normal");
    }
    const ran = succeeded(await failback("failback-start", { "stop-tasks": "true", "allow-remove": "true" }));
    const { first, next } = seen(ran.jobs[0]!);
    expect(first).toBe("## ✅ failback-start succeeded");
    expect(next).toContain("the applications may write to DocumentDB");
    expect(next).toContain("failback-restore");
    expect(ran.jobs[0]!.summary).toContain("approved by olga");
  });

  test("the application goes on on DocumentDB", async () => {
    const manager = new SecretsManagerClient({});
    const { SecretString } = await manager.send(new GetSecretValueCommand({ SecretId: secretName("shop") }));
    const { uri } = JSON.parse(SecretString!) as { uri: string };
    const shop = await new MongoClient(uri).connect();
    const orders = shop.db(database).collection("orders");
    await orders.insertMany([{ n: 3 }, { n: 4 }]);
    await orders.deleteOne({ n: 1 });
    await shop.close();
  });

  aside(
    "what comes too early, or would write meanwhile, is refused and says why and what to do",
    async () => {
      const early = await failback("failback-clean");
      expect(early.code).not.toBe(0);
      expect(seen(early.jobs[0]!).first).toMatch(/^#+ ❌ .*failback-clean/);
      expect(early.jobs[0]!.summary).toContain("capturing");
      const resumed = await failback("tasks-resume");
      expect(resumed.code).not.toBe(0);
      expect(resumed.jobs[0]!.summary).toMatch(/phase normal|capturing/);
      for (const name of ["failback-reopen", "failback-abort"]) {
        const planned = succeeded(await failback(name, { mode: "plan" }));
        expect(planned.jobs[0]!.summary).toContain("Nothing is done in this mode.");
      }
      expect(await phase()).toStartWith("dev: phase capturing");
    },
  );

  test("MongoDB is back: restore ends in PROVEN, said first", async () => {
    await world.apply.sandbox.database!.restart();
    const ran = succeeded(await failback("failback-restore"));
    const { first, next } = seen(ran.jobs[0]!);
    expect(first).toBe("## ✅ PROVEN: failback-restore succeeded");
    expect(next).toContain("failback-clean");
    expect(ran.jobs[0]!.summary).toContain("tail 1");
  });

  test("clean reopens MongoDB and stops the host", async () => {
    const ran = succeeded(await failback("failback-clean"));
    const { first, next } = seen(ran.jobs[0]!);
    expect(first).toBe("## ✅ failback-clean succeeded");
    expect(next).toContain("failback-resume");
  });

  test("resume starts DMS again, and what was written meanwhile is on both sides", async () => {
    const ran = succeeded(await failback("failback-resume"));
    expect(seen(ran.jobs[0]!).first).toBe("## ✅ failback-resume succeeded");
    expect(await phase()).toStartWith("dev: phase normal");
    expect(
      await source("orders")
        .find({}, { projection: { _id: 0 } })
        .toArray(),
    ).toEqual(expect.arrayContaining([{ n: 2 }, { n: 3 }, { n: 4 }, { tail: true }]));
    await world.apply.replicated(database, "orders", 4);
  });

  async function phase(): Promise<string> {
    const ran = succeeded(await world.dispatch("status", { environment: "dev" }));
    return ran.jobs[0]!.summary.split("\n").find((line) => line.startsWith("dev: ")) ?? "";
  }
});

test("no secret is in a log, a summary, a comment, an object or its key, a request, or a command line", async () => {
  const secrets = await secretsOf(world);
  const places = await placesOf(world);
  // Passwords of six users, GitHub's token, and a session's keys for each sign-in.
  expect(secrets.size).toBeGreaterThan(all ? 50 : 20);
  for (const name of ["a comment of #1", "a command line", "requests to AWS", "a key of the bucket"])
    expect(places.filter((place) => place.name === name).length).toBeGreaterThan(0);
  expect(places.some(({ text }) => text.includes("bun scripts/in-summary.ts runbook failback-start"))).toBe(
    true,
  );
  // terraform/modules/dms/README.md: the provider hands DMS no secret's name for DocumentDB, so its state holds this one.
  expect(leaks(secrets, places)).toEqual([
    `password of ${secretName("dms_target")} in object roundtrip/dev.tfstate`,
  ]);
  const run = new Set(world.runs.map(({ workflow }) => workflow));
  if (all) expect(runInStory.filter((name) => !run.has(name))).toEqual([]);
});
