import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Decimal128, Long } from "mongodb";
import { startDialect } from "./testing/start.ts";

setDefaultTimeout(60_000);

function tool(name: string): string | undefined {
  const local = join(import.meta.dirname, "../../.tools/bin", name);
  return existsSync(local) ? local : (Bun.which(name) ?? undefined);
}

const mongodump = tool("mongodump");
const mongorestore = tool("mongorestore");
const missing = mongodump === undefined || mongorestore === undefined;
const withTools = missing && process.env.REQUIRE_ALL !== "1" ? test.skip : test;

async function run(...command: string[]): Promise<{ exit: number; said: string }> {
  const child = Bun.spawn(command, { stderr: "pipe", stdout: "ignore", timeout: 30_000 });
  const said = await new Response(child.stderr).text();
  return { exit: await child.exited, said };
}

withTools(
  "stock mongodump and mongorestore carry a database through it, and --oplog can't work",
  async () => {
    await using dialect = await startDialect();
    const directory = mkdtempSync(join(tmpdir(), "documentdb-tools-"));
    try {
      const client = await dialect.connect();
      const orders = client.db("shop").collection("orders");
      await orders.insertMany(
        Array.from({ length: 300 }, (_, id) => ({
          _id: id as never,
          n: Long.fromNumber(id),
          d: Decimal128.fromString("1.0"),
        })),
      );
      await orders.createIndex({ n: 1 }, { unique: true });
      await client.db("shop").createCollection("empty");
      const raw = async () =>
        (await orders.find({}, { raw: true }).sort({ _id: 1 }).toArray()).map((each) =>
          Buffer.from(each as never).toString("hex"),
        );
      const before = await raw();
      const archive = `--archive=${join(directory, "shop.archive")}`;
      const uri = `--uri=${dialect.proxy.uri}`;
      expect((await run(mongodump!, uri, archive)).exit).toBe(0);
      await client.db("shop").dropDatabase();
      const restored = await run(mongorestore!, uri, archive);
      expect(restored.exit).toBe(0);
      expect(restored.said).toContain(
        "300 document(s) restored successfully. 0 document(s) failed to restore.",
      );
      expect(await raw()).toEqual(before);
      expect((await orders.indexes()).map(({ name }) => name).sort()).toEqual(["_id_", "n_1"]);
      const withOplog = await run(
        mongodump!,
        uri,
        "--oplog",
        `--archive=${join(directory, "oplog.archive")}`,
      );
      expect(withOplog.exit).not.toBe(0);
      expect(withOplog.said).toContain("oplog");
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
);
