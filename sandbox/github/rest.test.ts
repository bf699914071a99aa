import { describe, expect, test } from "bun:test";
import { getOctokit } from "@actions/github";
import {
  ownerToken,
  startTestGitHub,
  type TestGitHub,
  testRepository,
  workflowToken,
} from "./test-server.ts";

const repository = "acme/data";
const clientOf = (github: TestGitHub, token = workflowToken) => getOctokit(token, { baseUrl: github.url });

async function failureOf(asked: Promise<unknown>): Promise<{
  status: number;
  message: string;
  response?: { headers: Record<string, string>; data: { errors?: unknown[] } };
}> {
  return (await asked.then(
    () => Promise.reject(new Error("expected a refusal, got an answer")),
    (error: unknown) => error,
  )) as never;
}

describe("pages", () => {
  test("Octokit's own paginate walks 250 comments in three pages, in the order they were made", async () => {
    await using github = await startTestGitHub();
    const { pulls } = await github.seed({ pulls: [{ repository }] });
    const client = clientOf(github);
    const issue = { ...testRepository, issue_number: pulls[0]! };
    for (let n = 0; n < 250; n += 1) await client.rest.issues.createComment({ ...issue, body: `c${n}` });
    await github.control("DELETE", "journal");
    const comments = await client.paginate(client.rest.issues.listComments, { ...issue, per_page: 100 });
    expect(comments.map(({ body }) => body)).toEqual(Array.from({ length: 250 }, (_, n) => `c${n}`));
    expect(await github.operations()).toHaveLength(3);
  });

  test("a list under a name of its own, as of variables, is paginated too", async () => {
    await using github = await startTestGitHub();
    const client = clientOf(github, ownerToken);
    for (let n = 0; n < 35; n += 1)
      await client.rest.actions.createRepoVariable({ ...testRepository, name: `V${n}`, value: String(n) });
    const found = await client.paginate(client.rest.actions.listRepoVariables, {
      ...testRepository,
      per_page: 10,
    });
    expect(found.map(({ name }) => name)).toHaveLength(35);
  });
});

describe("who may", () => {
  test("no token and an unknown one are 401; a workflow without the permission 403, naming what it needs", async () => {
    await using github = await startTestGitHub();
    expect((await fetch(`${github.url}/repos/acme/data`)).status).toBe(401);
    const unknown = await failureOf(clientOf(github, "other").rest.repos.get(testRepository));
    expect(unknown).toMatchObject({ status: 401, message: expect.stringContaining("Bad credentials") });
    const environment = { ...testRepository, environment_name: "prod" };
    const refused = await failureOf(clientOf(github).rest.repos.createOrUpdateEnvironment(environment));
    expect(refused.status).toBe(403);
    expect(refused.message).toContain("Resource not accessible by integration");
    expect(refused.response?.headers["x-accepted-github-permissions"]).toBe("administration=write");
  });

  test("another repository, and a route nobody wrote, are 404 and never an empty success", async () => {
    await using github = await startTestGitHub();
    const other = await failureOf(clientOf(github).rest.issues.listForRepo({ owner: "acme", repo: "x" }));
    expect(other.status).toBe(404);
    expect((await failureOf(clientOf(github).rest.issues.listAssignees(testRepository))).status).toBe(404);
  });
});

describe("limits", () => {
  test("a body of 65,537 characters is 422, one of 65,536 is taken", async () => {
    await using github = await startTestGitHub();
    const client = clientOf(github);
    const issue = { ...testRepository, title: "t" };
    await client.rest.issues.create({ ...issue, body: "é".repeat(65_536) });
    const refused = await failureOf(client.rest.issues.create({ ...issue, body: "é".repeat(65_537) }));
    expect(refused.status).toBe(422);
    expect(JSON.stringify(refused.response?.data.errors)).toContain("maximum is 65536 characters");
  });

  test("the primary limit counts down in every answer and refuses until its window ends", async () => {
    await using github = await startTestGitHub();
    await github.control("PUT", "rate-limit", { limit: 2, windowSeconds: 60 });
    const client = clientOf(github);
    const { headers } = await client.rest.repos.get(testRepository);
    expect(headers["x-ratelimit-remaining"]).toBe("1");
    await client.rest.repos.get(testRepository);
    const refused = await failureOf(client.rest.repos.get(testRepository));
    expect(refused.status).toBe(403);
    expect(refused.response?.headers["x-ratelimit-remaining"]).toBe("0");
    expect(Number(refused.response?.headers["x-ratelimit-reset"])).toBeGreaterThan(Date.now() / 1000);
  });

  test("an armed secondary limit carries retry-after; the request after it is served", async () => {
    await using github = await startTestGitHub();
    await github.arm({
      operation: "issues/create",
      action: { status: 403, code: "secondary-rate-limit:7" },
    });
    const client = clientOf(github);
    const refused = await failureOf(client.rest.issues.create({ ...testRepository, title: "t" }));
    expect(refused.response?.headers["retry-after"]).toBe("7");
    expect(refused.message).toContain("secondary rate limit");
    expect((await client.rest.issues.listForRepo(testRepository)).data).toEqual([]);
  });
});

describe("state", () => {
  test("what was answered is there after a restart, on the same port", async () => {
    await using github = await startTestGitHub();
    const client = clientOf(github);
    await client.rest.issues.create({ ...testRepository, title: "kept", labels: ["drift"] });
    await github.restart();
    const { data } = await client.rest.issues.listForRepo({ ...testRepository, labels: "drift" });
    expect(data.map(({ title }) => title)).toEqual(["kept"]);
  });

  test("a reset after the effect: the client fails, the comment is there", async () => {
    await using github = await startTestGitHub();
    const { pulls } = await github.seed({ pulls: [{ repository }] });
    const issue = { ...testRepository, issue_number: pulls[0]! };
    await github.arm({ operation: "issues/create-comment", when: "after", action: { reset: true } });
    await failureOf(clientOf(github).rest.issues.createComment({ ...issue, body: "once" }));
    expect((await clientOf(github).rest.issues.listComments(issue)).data).toHaveLength(1);
  });

  test("an environment takes six reviewers, tells them as GitHub does, and a PUT sets everything anew", async () => {
    await using github = await startTestGitHub();
    await github.seed({ users: Array.from({ length: 7 }, (_, n) => ({ login: `u${n}`, id: 900 + n })) });
    const client = clientOf(github, ownerToken);
    const environment = { ...testRepository, environment_name: "prod" };
    const reviewers = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ type: "User" as const, id: 900 + n }));
    const put = (count: number) =>
      client.rest.repos.createOrUpdateEnvironment({ ...environment, reviewers: reviewers(count) });
    expect((await failureOf(put(7))).status).toBe(422);
    await put(6);
    const { data } = await client.rest.repos.getEnvironment(environment);
    expect(data.protection_rules?.[0]).toMatchObject({
      type: "required_reviewers",
      reviewers: { length: 6 },
    });
    await client.rest.repos.createOrUpdateEnvironment(environment);
    expect((await client.rest.repos.getEnvironment(environment)).data.protection_rules).toEqual([]);
  });
});
