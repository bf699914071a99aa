import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { isAlive } from "../host/processes.ts";
import { startDatabase } from "./database.ts";

/** A `mongod` of this name that runs the stand-in: how the server is started and ended can be tested without one. */
function fakeServer(folder: string): string {
  const path = join(folder, "mongod");
  const entry = join(import.meta.dirname, "../database/main.ts");
  writeFileSync(
    path,
    `#!/bin/sh
while [ $# -gt 0 ]; do
  case "$1" in --dbpath) dir="$2" ;; --port) port="$2" ;; --replSet) set="$2" ;; esac
  shift
done
exec "${process.execPath}" "${entry}" --dir "$dir" --port "$port" --set "$set" --members 1 --admin-password-file "$dir/../admin-password" >&2
`,
  );
  chmodSync(path, 0o755);
  return path;
}

test("MONGOD runs in the stand-in's place: same ready line, data kept over kill -9, no process left", async () => {
  const folder = mkdtempSync(join(tmpdir(), "rt-real-"));
  const mongod = process.env.MONGOD ?? fakeServer(folder);
  try {
    const database = await startDatabase({ dir: join(folder, "database"), mongod });
    const client = new MongoClient(database.ready.uri);
    await client
      .db("shop")
      .collection("orders")
      .insertOne({ _id: 1 as never });
    await client.close();
    expect(database.ready.ports.length).toBe(1);
    const servers = childrenOf(database.pid);
    expect(servers.length).toBe(1);
    await database.kill();
    const until = Date.now() + 5000;
    while (servers.some(isAlive) && Date.now() < until) await Bun.sleep(20);
    expect(servers.filter(isAlive)).toEqual([]);
    const { uri } = database.ready;
    expect((await database.restart()).uri).toBe(uri);
    const again = new MongoClient(uri);
    expect(await again.db("shop").collection("orders").countDocuments()).toBe(1);
    await again.close();
    const left = childrenOf(database.pid);
    await database.stop();
    expect(left.filter(isAlive)).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 60_000);

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
}
