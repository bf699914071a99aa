import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Revision } from "../../core/plan/model.ts";
import { fileLengthMax } from "../../core/tasks/document.ts";
import { parseTasks, type Tasks } from "../../core/tasks/tasks.ts";
import { usageError } from "./command.ts";

const git = promisify(execFile);
const gitTimeoutMs = 30_000;

export interface ReadRevision {
  readonly revision: Revision;
  /** Absent where the reference has no tasks file. */
  readonly tasks?: Tasks;
}

/**
 * Reads tasks from a file, or from `path` at a git reference. A name that is both is the file. Fails with kind `usage`
 * for a name that is neither, `configuration` for tasks that aren't valid.
 */
export async function readRevision(option: string, name: string, path: string): Promise<ReadRevision> {
  if (existsSync(name) && statSync(name).isFile())
    return { revision: { name }, tasks: parseTasks(decoded(await readFile(name), name), name) };
  const { revision, text } = await readCommit(option, name, path);
  return text === undefined ? { revision } : { revision, tasks: parseTasks(text, `${name}:${path}`) };
}

/**
 * The text of `path` at a git reference; none where that commit has no such file. Fails with kind `usage` for a name
 * that is no reference.
 */
export async function readCommit(
  option: string,
  name: string,
  path: string,
): Promise<{ revision: Revision; text?: string }> {
  const commit = await objectName(`${name}^{commit}`);
  if (commit === undefined)
    throw usageError(
      `take ${option}`,
      name,
      "name a file that exists, or a commit, branch or tag of this repository",
    );
  const tree = await objectName(`${commit}^{tree}`);
  const revision: Revision = { name, commit, ...(tree ? { tree } : {}) };
  // `./` makes git read the path from here, as a person does.
  const blob = await objectName(`${commit}:./${path}`);
  if (blob === undefined) return { revision };
  const { stdout } = await git("git", ["cat-file", "blob", blob], {
    encoding: "buffer",
    maxBuffer: fileLengthMax * 4,
    timeout: gitTimeoutMs,
  });
  return { revision, text: decoded(stdout, path) };
}

function decoded(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw usageError(`read ${name}`, "bytes that are not UTF-8", "save the file as UTF-8");
  }
}

/** The full name of a git object, or nothing when there is none. */
async function objectName(expression: string): Promise<string | undefined> {
  try {
    const { stdout } = await git(
      "git",
      ["rev-parse", "--verify", "--quiet", "--end-of-options", expression],
      { timeout: gitTimeoutMs },
    );
    return stdout.trim() || undefined;
  } catch (error) {
    // 1 is git's answer for "no such object", 128 where this is no repository.
    const { code } = error as { code?: number | string };
    if (code === 1 || code === 128) return undefined;
    throw usageError("ask git", String(code), "install git, or name files instead of references");
  }
}
