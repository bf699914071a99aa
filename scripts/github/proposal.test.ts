import { afterAll, beforeAll, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const program = join(import.meta.dirname, "../github.ts");
let repository: string;
let judged: string;

function git(...args: string[]): string {
  const identity = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"];
  return execFileSync("git", [...identity, ...args], { cwd: repository, encoding: "utf8" }).trim();
}

const commit = (message: string) => {
  git("commit", "--quiet", "--allow-empty", "-m", message);
  return git("rev-parse", "HEAD");
};

/** What GitHub makes of a pull request: its head merged into the base. */
function mergeOf(head: string): string {
  git("switch", "--quiet", "--detach", "main");
  git("merge", "--quiet", "--no-ff", "-m", "merge", head);
  return git("rev-parse", "HEAD");
}

beforeAll(() => {
  repository = mkdtempSync(join(tmpdir(), "proposal-"));
  git("init", "--quiet", "--initial-branch=main");
  commit("base");
  git("switch", "--quiet", "-c", "change");
  judged = commit("a change that an owner approved");
  git("switch", "--quiet", "main");
  commit("base goes on");
});
afterAll(() => rmSync(repository, { recursive: true, force: true }));

async function check(proposal: string) {
  git("update-ref", "refs/roundtrip/proposal", proposal);
  const env = { PATH: process.env.PATH, HEAD_COMMIT: judged, GITHUB_TOKEN: "t", GITHUB_REPOSITORY: "a/b" };
  const child = Bun.spawn([process.execPath, program, "proposal"], {
    cwd: repository,
    env,
    stdout: "pipe",
    stderr: "pipe",
  });
  const err = await new Response(child.stderr).text();
  return { code: await child.exited, err };
}

test("the judged commit and GitHub's merge of it pass; what was pushed on top, or a merge of others, does not", async () => {
  const merged = mergeOf(judged);
  expect((await check(judged)).code).toBe(0);
  expect((await check(merged)).code).toBe(0);
  git("switch", "--quiet", "change");
  const pushed = commit("pushed after the approval");
  const refused = await check(mergeOf(pushed));
  expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("a newer commit was pushed")]);
  expect((await check(pushed)).code).toBe(3);
  expect((await check("main")).code).toBe(3);
});
