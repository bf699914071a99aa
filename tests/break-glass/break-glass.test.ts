/** GitHub and npm are out of reach and MongoDB is down: the binary alone, in an empty folder (R33, docs/break-glass.md). */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recordApplied } from "../../adapters/state/applied-store.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { Scope } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { drillCollections } from "../../scripts/drill/scope.ts";
import { Timeline } from "../../scripts/drill/timeline.ts";
import { World } from "../../scripts/drill/world.ts";

setDefaultTimeout(180_000);

const root = join(import.meta.dirname, "../..");
const commit = "b".repeat(40);
const canIsolate = Bun.spawnSync(["unshare", "--net", "ip", "link", "set", "lo", "up"]).exitCode === 0;

describe.skipIf(!canIsolate)(
  `break-glass${canIsolate ? "" : " (skipped: no network namespace without root)"}`,
  () => {
    let world: World;
    let folder: string;
    let bridge: Server;

    beforeAll(async () => {
      const built = Bun.spawnSync(
        [
          process.execPath,
          "services/build.ts",
          "--entry",
          "scripts/roundtrip.ts",
          "--outfile",
          "dist/roundtrip",
        ],
        { cwd: root, stderr: "pipe" },
      );
      if (built.exitCode !== 0) throw new Error(built.stderr.toString());
      folder = mkdtempSync(join(tmpdir(), "break-glass-"));
      mkdirSync(join(folder, "empty"));
      copyFileSync(join(root, "dist/roundtrip"), join(folder, "roundtrip"));
      world = await World.start(new Timeline(() => {}, false));
      await world.build();
      for (const { database, collection } of drillCollections)
        await world.clients.mongodbRoot.db(database).collection(collection).insertOne({ first: true });
      await world.startTasks();
      await world.recordIdentity([...new Set(drillCollections.map(({ database }) => database))]);
      await recordApplied(world.store, applied(readFileSync(world.tasksFile, "utf8")), undefined);
      bridge = createServer((incoming) => {
        const { hostname, port } = new URL(world.aws.url);
        const outgoing = connect(Number(port), hostname);
        incoming.pipe(outgoing).pipe(incoming);
        incoming.on("error", () => outgoing.destroy());
        outgoing.on("error", () => incoming.destroy());
      });
      await new Promise<void>((resolve) => bridge.listen(join(folder, "aws.socket"), resolve));
      await world.mongodb.kill();
    });
    afterAll(async () => {
      bridge?.close();
      await world?.[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    });

    const applied = (tasksText: string) => ({
      version: 1 as const,
      environment: world.environment.environment,
      tasksText,
      commit,
      tree: commit,
      digest: `sha256:${"0".repeat(64)}`,
      operationId: "dev-apply-before",
      appliedAt: "2026-11-20T10:00:00.000Z",
      by: { actor: "ben" },
    });

    const summary = () => join(folder, "summary.md");

    /** What a person has in a shell after `aws sts assume-role`, and in CloudShell: a session's keys, no place to get new ones. */
    async function session(): Promise<Record<string, string>> {
      const { AWS_CONTAINER_CREDENTIALS_FULL_URI: place = "", ...rest } = world.variables;
      const keys = (await (await fetch(place)).json()) as Record<
        "AccessKeyId" | "SecretAccessKey" | "Token",
        string
      >;
      return {
        ...rest,
        AWS_ACCESS_KEY_ID: keys.AccessKeyId,
        AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
        AWS_SESSION_TOKEN: keys.Token,
      };
    }

    /** The binary, with nothing but AWS's variables of a role, an empty PATH, and no network but AWS. */
    async function glass(...args: string[]) {
      const variables = {
        ...(await session()),
        PATH: join(folder, "empty"),
        HOME: folder,
        GITHUB_STEP_SUMMARY: summary(),
      };
      const { port } = new URL(world.aws.url);
      const isolated = join(import.meta.dirname, "run.ts");
      const child = Bun.spawn(
        [
          "unshare",
          "--net",
          "sh",
          "-c",
          'ip link set lo up && exec "$@"',
          "sh",
          process.execPath,
          isolated,
          join(folder, "aws.socket"),
          port,
          join(folder, "roundtrip"),
          ...args,
        ],
        {
          cwd: join(folder, "empty"),
          env: { PATH: process.env.PATH, ISOLATED_VARIABLES: JSON.stringify(variables) },
          stdout: "pipe",
          stderr: "pipe",
        },
      );
      const [out, err] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      return { code: await child.exited, out, err };
    }

    test("nothing but AWS can be reached from there: not even DocumentDB", async () => {
      const { host, port } = world.clients.shop.options.hosts[0]!;
      const program = `require("node:net").connect(${port}, "${host}", () => { console.log("reached"); process.exit() })
      .on("error", () => console.log("not reached"))`;
      const from = (...launcher: string[]) =>
        Bun.spawnSync([...launcher, process.execPath, "-e", program], { stdout: "pipe" }).stdout.toString();
      expect([from(), from("unshare", "--net")]).toEqual(["reached\n", "not reached\n"]);
    });

    test("failback-start, whole: the tasks are those last applied, the journal says who and what, status agrees", async () => {
      const planned = await glass(
        "runbook",
        "failback-start",
        "--env",
        world.environment.environment,
        "--mode",
        "plan",
      );
      expect([planned.code, planned.err, planned.out]).toEqual([
        0,
        expect.stringContaining(
          `no tasks.yaml here: as it was last applied, 2026-11-20T10:00:00.000Z, commit ${commit}`,
        ),
        expect.stringContaining("Plan of failback-start"),
      ]);
      const ran = await glass(
        "runbook",
        "failback-start",
        "--env",
        world.environment.environment,
        "--input",
        "stop-tasks=true",
        "--lease-seconds",
        "2",
      );
      expect(ran.err).toContain(
        `no tasks.yaml here: as it was last applied, 2026-11-20T10:00:00.000Z, commit ${commit}`,
      );
      expect(ran.err).toContain("✅ failback-start succeeded");
      expect(ran.code).toBe(0);
      const said = readFileSync(summary(), "utf8");
      expect(said).toStartWith("## ✅ failback-start succeeded\n\nFailback `");
      expect(said).toMatch(/^\| \*\*RTO\*\* \| \d+\.\d s \| < 1 h \| ✅ met \|/m);
      expect(said).toMatch(/^\| \*\*RPO\*\* \| (\d+ ms|\d+\.\d s) \| < 1 min \| ✅ met \|/m);
      expect(said).toContain("    12. grant-writers :done, ");
      const id = await world.failbackId();
      const scope = (await readJson<Scope>(world.store, keysOf(id).scope))?.value;
      expect(scope?.commit).toBe(commit);
      expect(scope?.databases.map(({ name }) => name).sort()).toEqual(
        [...new Set(drillCollections.filter(({ late }) => !late).map(({ database }) => database))].sort(),
      );
      await world.clients.shop.db("billing").collection("invoices").insertOne({ written: "in the outage" });
      const status = await glass("status", "--env", world.environment.environment);
      expect([status.code, status.out]).toEqual([0, expect.stringContaining("capturing")]);
      expect(readdirSync(join(folder, "empty"))).toEqual([]);
    });
  },
);
