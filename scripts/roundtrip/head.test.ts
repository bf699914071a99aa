import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../../tests/support/temporary-folder.ts";
import { assertCheckedOut, headRevision, isAncestor } from "./head.ts";

const folder = temporaryFolder("roundtrip-head");
const before = process.cwd();
let [older, newer] = ["", ""];

function git(...args: string[]): string {
  const identity = ["-c", "user.name=ana", "-c", "user.email=ana@example.com"];
  return execFileSync("git", [...identity, ...args], { cwd: folder, encoding: "utf8" }).trim();
}

function commit(text: string): string {
  writeFileSync(join(folder, "tasks.yaml"), text);
  git("add", "tasks.yaml");
  git("commit", "--quiet", "-m", "tasks");
  return git("rev-parse", "HEAD");
}

beforeAll(() => {
  process.chdir(folder);
  git("init", "--quiet");
  older = commit("version: 1\n");
  newer = commit("version: 2\n");
});
afterAll(() => process.chdir(before));

describe("the commit that is applied", () => {
  test("gives its file, not the working tree's", async () => {
    writeFileSync(join(folder, "tasks.yaml"), "changed\n");
    expect(await headRevision("HEAD~1", "tasks.yaml")).toMatchObject({
      tasksText: "version: 1\n",
      commit: older,
    });
    git("checkout", "--quiet", "--", "tasks.yaml");
  });

  test("a file that isn't there, or a name that is no commit, is refused", async () => {
    await expect(headRevision("HEAD", "other.yaml")).rejects.toThrow(
      "read other.yaml at HEAD: expected arguments as --help shows them, got no such file there. Way out: name its place with --file",
    );
    await expect(headRevision("nowhere", "tasks.yaml")).rejects.toThrow("take --head");
  });

  test("older, newer, the same, and unknown to this clone", async () => {
    expect(await isAncestor(older, newer)).toBe(true);
    expect(await isAncestor(newer, older)).toBe(false);
    expect(await isAncestor(newer, newer)).toBe(true);
    expect(await isAncestor(newer, "0".repeat(40))).toBeUndefined();
  });

  test("must be checked out, unchanged: Terraform reads what lies here", async () => {
    const head = await headRevision("HEAD", "tasks.yaml");
    await assertCheckedOut(head);
    writeFileSync(join(folder, "tasks.yaml"), "changed\n");
    await expect(assertCheckedOut(head)).rejects.toThrow(
      `apply commit ${newer}: expected its files checked out here, unchanged, because Terraform reads them, got changed: tasks.yaml. Way out: git checkout ${newer}, with nothing changed, and run this again`,
    );
    git("checkout", "--quiet", "--", "tasks.yaml");
    await expect(assertCheckedOut(await headRevision("HEAD~1", "tasks.yaml"))).rejects.toThrow(
      "got another commit",
    );
  });
});
