import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JournalEntry } from "../aws/journal.ts";
import { type GitHubServer, startGitHub } from "./server.ts";

/** The repository and the tokens each test starts with. */
export const testRepository = { owner: "acme", repo: "data" } as const;
/** A workflow's own token, with what the plan and drift workflows grant. */
export const workflowToken = "workflow-token";
/** A person's, who administers the repository. */
export const ownerToken = "owner-token";

export interface TestGitHub extends AsyncDisposable {
  readonly url: string;
  /** A call to `/_sandbox/…`; throws on any status but 2xx. */
  control(method: string, path: string, body?: object): Promise<unknown>;
  seed(seeds: object): Promise<{ readonly pulls: readonly number[] }>;
  arm(fault: object): Promise<void>;
  /** What was asked since the start or the last restart of the journal, in order. */
  operations(): Promise<string[]>;
  restart(): Promise<void>;
}

const repository = `${testRepository.owner}/${testRepository.repo}`;
const basics = {
  repositories: [{ full_name: repository }],
  tokens: [
    {
      token: workflowToken,
      login: "github-actions[bot]",
      type: "Bot",
      permissions: { issues: "write", "pull-requests": "write", actions: "read" },
    },
    {
      token: ownerToken,
      login: "owner",
      type: "User",
      permissions: {
        issues: "write",
        "pull-requests": "write",
        actions: "write",
        administration: "write",
        variables: "write",
        environments: "write",
        members: "read",
        metadata: "read",
      },
    },
  ],
};

/** The stand-in inside a test, on a free port and in a directory of its own. */
export async function startTestGitHub(): Promise<TestGitHub> {
  const dir = mkdtempSync(join(tmpdir(), "github-stand-in-"));
  let server: GitHubServer = await startGitHub({ dir, port: 0 });
  const control = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${server.url}/_sandbox/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const json: unknown = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  await control("POST", "seed", basics);
  return {
    url: server.url,
    control,
    seed: async (seeds) => (await control("POST", "seed", seeds)) as { pulls: number[] },
    arm: async (fault) => void (await control("POST", "faults", fault)),
    operations: async () =>
      ((await control("GET", "journal")) as JournalEntry[]).map(({ operation }) => operation),
    async restart() {
      await server.stop();
      server = await startGitHub({ dir, port: 0 });
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
