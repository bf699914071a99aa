import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { readLines } from "../host/lines.ts";
import { isAlive, processesOf } from "../host/processes.ts";
import type { SandboxAddresses } from "./sandbox.ts";

const main = join(import.meta.dirname, "../main.ts");
const limitMs = 60_000;

interface Running {
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly lines: string[];
  readonly addresses: SandboxAddresses;
  /** Its processes and all of theirs. */
  readonly family: number[];
  /** A temporary folder of its own, so that what is left behind can be told from what others leave. */
  readonly temporary: string;
}

async function up(...parameters: string[]): Promise<Running> {
  const temporary = mkdtempSync(join(tmpdir(), "rt-up-"));
  const child = Bun.spawn([process.execPath, main, "up", ...parameters], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, TMPDIR: temporary },
    detached: true,
  });
  const lines: string[] = [];
  const first = Promise.withResolvers<string>();
  void readLines(child.stdout, (line) => {
    lines.push(line);
    first.resolve(line);
  });
  const said: string[] = [];
  void readLines(child.stderr, (line) => said.push(line));
  void child.exited.then((code) =>
    first.reject(new Error(`sandbox up ended with ${code}: ${said.join("\n")}`)),
  );
  const addresses = JSON.parse(await first.promise) as SandboxAddresses;
  return { child, lines, addresses, temporary, family: processesOf(new Set(), new Set([child.pid])) };
}

async function waitGone(pids: readonly number[]): Promise<void> {
  const until = Date.now() + 10_000;
  while (pids.some(isAlive) && Date.now() < until) await Bun.sleep(20);
  expect(pids.filter(isAlive)).toEqual([]);
}

function clean({ child, temporary }: Running): void {
  child.kill("SIGKILL");
  rmSync(temporary, { recursive: true, force: true });
}

async function refusesConnections(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

test(
  "everything comes up, answers, and SIGTERM leaves nothing behind",
  async () => {
    const running = await up();
    try {
      const { mongodb, documentdb, aws, host } = running.addresses;
      expect(Object.keys(running.addresses)).toEqual(["mongodb", "documentdb", "aws", "host"]);
      for (const uri of [mongodb!, documentdb!]) {
        const client = new MongoClient(uri, { retryWrites: false });
        expect(await client.db("admin").command({ ping: 1 })).toMatchObject({ ok: 1 });
        await client.close();
      }
      expect((await fetch(`${aws}/_sandbox/health`)).ok).toBe(true);
      expect(existsSync(join(host!, "etc/systemd/system"))).toBe(true);
      expect(running.family.length).toBeGreaterThanOrEqual(6);
      running.child.kill("SIGTERM");
      expect(await running.child.exited).toBe(0);
      await waitGone(running.family);
      expect(running.lines.length).toBe(1);
      expect(readdirSync(running.temporary)).toEqual([]);
      expect(await refusesConnections(`${aws}/_sandbox/health`)).toBe(true);
    } finally {
      clean(running);
    }
  },
  limitMs,
);

test(
  "--only starts and names only what is asked for; SIGINT ends it",
  async () => {
    const running = await up("--only", "aws,host", "--json");
    try {
      expect(Object.keys(running.addresses)).toEqual(["aws", "host"]);
      running.child.kill("SIGINT");
      expect(await running.child.exited).toBe(0);
      await waitGone(running.family);
      expect(readdirSync(running.temporary)).toEqual([]);
    } finally {
      clean(running);
    }
  },
  limitMs,
);

test(
  "kill -9 of it: the stand-ins end by themselves, and the next start takes the folder away",
  async () => {
    const running = await up("--only", "aws,host");
    try {
      running.child.kill("SIGKILL");
      await running.child.exited;
      await waitGone(running.family);
      const [abandoned] = readdirSync(running.temporary);
      expect(abandoned).toStartWith("roundtrip-sandbox-");
      const next = Bun.spawn([process.execPath, main, "up", "--only", "aws"], {
        env: { ...process.env, TMPDIR: running.temporary },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
      });
      for await (const _ of next.stdout) break;
      expect(readdirSync(running.temporary)).not.toContain(abandoned!);
      next.kill("SIGTERM");
      expect(await next.exited).toBe(0);
    } finally {
      clean(running);
    }
  },
  limitMs,
);

test(
  "--dir keeps the state: the same AWS address and what was stored are there again",
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "rt-up-dir-"));
    const first = await up("--only", "aws", "--dir", dir);
    let second: Running | undefined;
    try {
      const made = { instanceId: "i-0aaaaaaaaaaaaaaaa", tags: { kept: "yes" } };
      await fetch(`${first.addresses.aws}/_sandbox/instances`, {
        method: "POST",
        body: JSON.stringify(made),
      });
      first.child.kill("SIGTERM");
      await first.child.exited;
      second = await up("--only", "aws", "--dir", dir);
      expect(second.addresses.aws).toBe(first.addresses.aws!);
      const stored = await (
        await fetch(`${second.addresses.aws}/_sandbox/instances/i-0aaaaaaaaaaaaaaaa`)
      ).json();
      expect(stored).toMatchObject({ tags: { kept: "yes" } });
      second.child.kill("SIGTERM");
      await second.child.exited;
      expect(existsSync(join(dir, "aws"))).toBe(true);
    } finally {
      clean(first);
      if (second) clean(second);
      rmSync(dir, { recursive: true, force: true });
    }
  },
  limitMs,
);

test("wrong use says what was expected and exits with 64", async () => {
  for (const parameters of [["down"], ["up", "--only", "kafka"], ["up", "--nothing"]]) {
    const child = Bun.spawn([process.execPath, main, ...parameters], { stdout: "pipe", stderr: "pipe" });
    expect(await child.exited).toBe(64);
    expect(await child.stderr.text()).toContain("Usage: bun run sandbox up");
    expect(await child.stdout.text()).toBe("");
  }
});

test(
  "no password of a stand-in stands in a command line",
  async () => {
    const running = await up("--only", "database,documentdb");
    try {
      const { mongodb, documentdb } = running.addresses;
      const passwords = [mongodb!, documentdb!].map((uri) => new URL(uri.replace(/,[^/]*/, "")).password);
      expect(passwords.every((password) => password.length > 20)).toBe(true);
      for (const pid of running.family) {
        const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        for (const password of passwords) expect(commandLine).not.toContain(password);
      }
      running.child.kill("SIGTERM");
      await running.child.exited;
    } finally {
      clean(running);
    }
  },
  limitMs,
);
