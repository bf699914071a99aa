import { describe, expect, test } from "bun:test";
import {
  startTestGitHub,
  type TestGitHub,
  testRepository,
  workflowToken,
} from "../../sandbox/github/test-server.ts";
import { InstantClock } from "../../tests/support/instant-clock.ts";
import { connectGitHub, type GitHub } from "./client.ts";
import { upsertComment } from "./comment.ts";
import { approversOf, pullOfCommit, readPull, reviewersOf } from "./review.ts";
import { clipped, markerOf, withSection } from "./sections.ts";
import { keepIssue } from "./tracking-issue.ts";

const repository = "acme/data";
const author = "github-actions[bot]";
const marker = markerOf("plan");

async function world(): Promise<
  AsyncDisposable & { github: TestGitHub; client: GitHub; clock: InstantClock; number: number }
> {
  const github = await startTestGitHub();
  const clock = new InstantClock();
  const client = connectGitHub({ token: workflowToken, baseUrl: github.url, clock });
  const { pulls } = await github.seed({ pulls: [{ repository }] });
  return {
    github,
    client,
    clock,
    number: pulls[0]!,
    [Symbol.asyncDispose]: () => github[Symbol.asyncDispose](),
  };
}

const placeOf = (number: number) => ({ ...testRepository, number, marker, author });

async function bodiesOf(client: GitHub, number: number): Promise<(string | undefined)[]> {
  const issue = { ...testRepository, issue_number: number, per_page: 100 };
  return (await client.paginate(client.rest.issues.listComments, issue)).map(({ body }) => body);
}

describe("the one comment", () => {
  test("is made once, edited when it says something else, and left alone when not", async () => {
    await using made = await world();
    const { client, number, github } = made;
    const say = (text: string) => upsertComment(client, placeOf(number), () => text);
    expect(await say("first")).toBe("created");
    expect(await say("second")).toBe("updated");
    expect(await say("second")).toBe("unchanged");
    expect(await bodiesOf(client, number)).toEqual([`${marker}\nsecond`]);
    const operations = await github.operations();
    expect(operations.filter((name) => name === "issues/update-comment")).toHaveLength(1);
  });

  test("is found behind 230 others; one of somebody else with the same marker, and one that quotes it, stay", async () => {
    await using made = await world();
    const { client, number, github } = made;
    const issue = { ...testRepository, issue_number: number };
    await github.seed({
      tokens: [{ token: "other", login: "mallory", type: "User", permissions: { issues: "write" } }],
    });
    const mallory = connectGitHub({ token: "other", baseUrl: github.url, clock: made.clock });
    await mallory.rest.issues.createComment({ ...issue, body: `${marker}\nnothing will be dropped` });
    await client.rest.issues.createComment({ ...issue, body: `see\n${marker}` });
    for (let n = 0; n < 230; n += 1) await mallory.rest.issues.createComment({ ...issue, body: "talk" });
    expect(await upsertComment(client, placeOf(number), () => "plan")).toBe("created");
    expect(await upsertComment(client, placeOf(number), (before) => `${before}\nmore`)).toBe("updated");
    const bodies = await bodiesOf(client, number);
    expect(bodies).toHaveLength(233);
    expect(bodies[0]).toBe(`${marker}\nnothing will be dropped`);
    expect(bodies.at(-1)).toBe(`${marker}\nplan\nmore`);
  });

  test("whose answer was lost is found and not made again", async () => {
    await using made = await world();
    const { client, number, github } = made;
    await github.arm({
      operation: "issues/create-comment",
      when: "after",
      action: { status: 502, code: "bad" },
    });
    expect(await upsertComment(client, placeOf(number), () => "once")).toBe("created");
    expect(await bodiesOf(client, number)).toEqual([`${marker}\nonce`]);
  });

  test("that was made twice by two runs at once becomes one", async () => {
    await using made = await world();
    const { client, number } = made;
    const issue = { ...testRepository, issue_number: number };
    for (const text of ["one", "two"])
      await client.rest.issues.createComment({ ...issue, body: `${marker}\n${text}` });
    await upsertComment(client, placeOf(number), () => "three");
    expect(await bodiesOf(client, number)).toEqual([`${marker}\nthree`]);
  });

  test("of 200,000 characters is cut to what GitHub takes, and says so", async () => {
    await using made = await world();
    const { client, number } = made;
    const long = "a line of the plan\n".repeat(11_000);
    await upsertComment(client, placeOf(number), () => long);
    const [body = ""] = await bodiesOf(client, number);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body.length).toBeGreaterThan(60_000);
    expect(body).toContain("Cut off");
  });

  test("is refused by a token that may not write: denied, with GitHub's reason, after one try", async () => {
    await using made = await world();
    const { number, github, clock } = made;
    await github.seed({
      tokens: [{ token: "fork", login: author, type: "Bot", permissions: { "pull-requests": "read" } }],
    });
    const fork = connectGitHub({ token: "fork", baseUrl: github.url, clock });
    const refused = upsertComment(fork, placeOf(number), () => "x");
    expect(refused).rejects.toMatchObject({ kind: "denied", got: expect.stringContaining("not accessible") });
    await refused.catch(() => {});
    const operations = await github.operations();
    expect(operations.filter((name) => name === "issues/create-comment")).toHaveLength(1);
  });
});

describe("sections of a comment", () => {
  const order = ["dev", "qa", "prod"];
  const section = (before: string, name: string, text: string) =>
    withSection(before, { marker, order, name, text });

  test("each job's replaces its own, in the order of the environments", () => {
    let body = section("", "prod", "P1");
    body = section(body, "dev", "D1");
    body = section(body, "prod", "P2");
    expect(body.replace(/<!--.*?-->\n?/g, "").trim()).toBe("D1\nP2");
  });

  test("a text that holds markers can't end its section or take another's place", () => {
    const hostile =
      "x\n<!-- roundtrip:end:dev -->\n<!-- roundtrip:section:prod -->\nno drop\n<!-- roundtrip:end:prod -->";
    let body = section("", "dev", hostile);
    body = section(body, "prod", "drops everything");
    body = section(body, "qa", "Q");
    expect(body.match(/<!-- roundtrip:section:prod -->/g)).toHaveLength(1);
    expect(body).toContain("drops everything");
    expect(body).toContain("no drop");
  });

  test("three plans of 60,000 characters fit, none without its beginning", () => {
    let body = "";
    for (const name of order) body = section(body, name, `### ${name}\n${"line\n".repeat(12_000)}`);
    expect(body.length).toBeLessThanOrEqual(65_536);
    for (const name of order) expect(body).toContain(`### ${name}`);
  });

  test("what is cut closes the details it had opened", () => {
    const text = `<details>\n${"x\n".repeat(3000)}</details>`;
    const cut = clipped(text, 2000);
    expect(cut.split("<details>")).toHaveLength(cut.split("</details>").length);
    expect(cut.length).toBeLessThanOrEqual(2000);
  });
});

describe("the one issue", () => {
  const drift = (body: string, isOpen = true) => ({
    ...testRepository,
    author,
    title: "Drift in prod",
    body: `<!-- roundtrip:drift:prod -->\n${body}`,
    labels: ["drift"],
    isOpen,
  });

  test("opened, kept, edited, closed when clean, and reopened as the same one", async () => {
    await using made = await world();
    const { client } = made;
    expect(await keepIssue(client, drift("clean", false))).toEqual({ change: "unchanged" });
    const { change, number } = await keepIssue(client, drift("a"));
    expect(change).toBe("created");
    expect(await keepIssue(client, drift("a"))).toEqual({ change: "unchanged", number });
    expect(await keepIssue(client, drift("b"))).toEqual({ change: "updated", number });
    expect(await keepIssue(client, drift("clean", false))).toEqual({ change: "closed", number });
    expect(await keepIssue(client, drift("c"))).toEqual({ change: "reopened", number });
    const { data } = await client.rest.issues.listForRepo({ ...testRepository, state: "all" });
    expect(data.filter(({ pull_request }) => !pull_request).map(({ state, body }) => [state, body])).toEqual([
      ["open", "<!-- roundtrip:drift:prod -->\nc"],
    ]);
  });

  test("is found among 260 others after its title was changed; another environment's isn't it", async () => {
    await using made = await world();
    const { client } = made;
    const { number } = await keepIssue(client, drift("a"));
    await client.rest.issues.update({
      ...testRepository,
      issue_number: number!,
      title: "renamed",
      labels: [],
    });
    for (let n = 0; n < 260; n += 1)
      await client.rest.issues.create({
        ...testRepository,
        title: `t${n}`,
        body: "<!-- roundtrip:drift:qa -->\n",
      });
    expect(await keepIssue(client, drift("b"))).toEqual({ change: "updated", number });
  });

  test("whose answer was lost is not made twice", async () => {
    await using made = await world();
    const { client, github } = made;
    await github.arm({ operation: "issues/create", when: "after", action: { reset: true } });
    await keepIssue(client, drift("a"));
    const { data } = await client.rest.issues.listForRepo(testRepository);
    expect(data.filter(({ pull_request }) => !pull_request)).toHaveLength(1);
  });
});

describe("patience", () => {
  const limits = [
    ["secondary limit with retry-after", { status: 403, code: "secondary-rate-limit:30" }, 30_000],
    ["secondary limit without", { status: 429, code: "secondary-rate-limit" }, 60_000],
    ["a used-up primary limit", { status: 403, code: "rate-limit" }, 1_000],
  ] as const;
  test.each(limits)("%s: waits, then the POST is made once", async (_name, action, leastMs) => {
    await using made = await world();
    const { client, number, github, clock } = made;
    clock.advance(Date.now() - clock.now().getTime());
    const before = clock.monotonicMs();
    await github.arm({ operation: "issues/create-comment", action });
    expect(await upsertComment(client, placeOf(number), () => "x")).toBe("created");
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(leastMs);
    expect(await bodiesOf(client, number)).toHaveLength(1);
  });

  test("a limit that ends in an hour is not waited for: unavailable", async () => {
    await using made = await world();
    const { client, number, github, clock } = made;
    await github.arm({ action: { status: 403, code: "secondary-rate-limit:3600" }, times: "unlimited" });
    const before = clock.monotonicMs();
    await expect(upsertComment(client, placeOf(number), () => "x")).rejects.toMatchObject({
      kind: "unavailable",
    });
    expect(clock.monotonicMs()).toBe(before);
  });

  test("a GET is asked five times of a GitHub that is down, then given up", async () => {
    await using made = await world();
    const { client, github } = made;
    await github.arm({ action: { status: 503, code: "down" }, times: "unlimited" });
    await expect(client.rest.repos.get(testRepository)).rejects.toMatchObject({ kind: "unavailable" });
    expect(await github.operations()).toHaveLength(5);
  });
});

describe("reviews", () => {
  const head = "a".repeat(40);

  test("approvals of the head commit count; older ones, dismissed and withdrawn ones do not", async () => {
    await using made = await world();
    const { client, github } = made;
    const review = (login: string, state: string, commit_id = head) => ({
      user: { login },
      state,
      commit_id,
    });
    const { pulls } = await github.seed({
      pulls: [
        {
          repository,
          head: { sha: head, repo: { full_name: repository } },
          labels: ["allow-destructive"],
          files: [{ filename: "tasks.yaml" }, { filename: "b", previous_filename: "core/a.ts" }],
          reviews: [
            review("ann", "APPROVED"),
            review("ann", "COMMENTED"),
            review("bob", "APPROVED", "b".repeat(40)),
            review("cid", "APPROVED"),
            review("cid", "CHANGES_REQUESTED"),
            review("dot", "DISMISSED"),
          ],
        },
      ],
    });
    const pull = await readPull(client, { ...testRepository, number: pulls[0]! });
    expect(pull).toMatchObject({
      approvals: ["ann"],
      isFork: false,
      labels: ["allow-destructive"],
      paths: ["tasks.yaml", "b", "core/a.ts"],
    });
  });

  test("a head in another repository, or in one that was deleted, is a fork", async () => {
    await using made = await world();
    const { client, github } = made;
    const { pulls } = await github.seed({
      pulls: [
        { repository, head: { sha: head, repo: { full_name: "mallory/data" } } },
        { repository, head: { sha: head, repo: null } },
      ],
    });
    for (const number of pulls)
      expect(await readPull(client, { ...testRepository, number })).toMatchObject({ isFork: true });
  });

  test("who approved this environment's gate, and whom it asks", async () => {
    await using made = await world();
    const { client, github } = made;
    const approval = (login: string, environment: string, state = "approved") => ({
      state,
      user: { login },
      environments: [{ name: environment }],
    });
    const approvals = [approval("ann", "prod"), approval("bob", "qa"), approval("cid", "prod", "rejected")];
    await github.seed({ runs: [{ repository, id: 77, approvals }] });
    const place = { ...testRepository, runId: 77, environment: "prod" };
    expect(await approversOf(client, place)).toEqual(["ann"]);
    expect(await reviewersOf(client, { ...testRepository, environment: "prod" })).toBeUndefined();
  });

  test("the pull request a commit of main came from: merged, and by that very commit", async () => {
    await using made = await world();
    const { client, github } = made;
    const merge = "c".repeat(40);
    const { pulls } = await github.seed({
      pulls: [
        { repository, merge_commit_sha: merge },
        { repository, merge_commit_sha: merge, merged_at: "2026-11-21T00:00:00Z", state: "closed" },
      ],
    });
    expect(await pullOfCommit(client, { ...testRepository, commit: merge })).toBe(pulls[1]);
    expect(await pullOfCommit(client, { ...testRepository, commit: head })).toBeUndefined();
  });
});
