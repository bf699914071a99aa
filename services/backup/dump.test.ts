import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { addFence } from "../../adapters/state/fences.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { DumpManifest } from "../../core/failback/documents.ts";
import { dumpTags } from "../../core/failback/layout.ts";
import { ServiceWorld, worldFailbackId } from "../../tests/support/service-world.ts";
import { waitFor } from "../../tests/support/wait-for.ts";
import { type DumpRequest, dumpSide } from "./dump.ts";
import { completeDump, dumpKeys } from "./dump-store.ts";

const folder = mkdtempSync(join(tmpdir(), "roundtrip-backup-"));
afterAll(() => rmSync(folder, { recursive: true }));
const secrets = { "mongodb-secret": { uri: "mongodb://user:password@host:1/" } };

function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

function request(world: ServiceWorld, executable: string, more: Partial<DumpRequest> = {}): DumpRequest {
  return {
    side: "mongodb",
    failbackId: worldFailbackId,
    secretName: "mongodb-secret",
    executable,
    toolVersion: "mongodump version: 100.9.5",
    directory: join(world.service.stateDirectory, "private"),
    bytesExpected: 10,
    ...more,
  };
}

describe("failback 16: a dump is complete or does not exist", () => {
  test("archive compressed, hashed, counted; the manifest is written last", async () => {
    using world = new ServiceWorld({ secrets });
    const good = program("good", 'seq 1 100000; echo "done dumping shop.orders (3 documents)" >&2');
    const manifest = await dumpSide(world.service, request(world, good));
    const archive = (await world.store.get(manifest.key))!.body;
    expect(gunzipSync(archive).toString()).toStartWith("1\n2\n3\n");
    expect(gunzipSync(archive).toString()).toEndWith("100000\n");
    expect(manifest).toMatchObject({
      bytes: archive.length,
      namespaces: [{ namespace: "shop.orders", documents: 3 }],
    });
    expect(new Bun.CryptoHasher("sha256").update(archive).digest("hex")).toBe(manifest.sha256);
    expect(await completeDump(world.store, worldFailbackId, "mongodb")).toEqual(manifest);
    expect(
      await readJson<DumpManifest>(world.store, dumpKeys(worldFailbackId, "mongodb", "run").manifest),
    ).toMatchObject({
      value: manifest,
    });
  });

  test("the archive has the tag by which the bucket's lifecycle expires it", async () => {
    using world = new ServiceWorld({ secrets });
    const tags: unknown[] = [];
    const upload = world.store.upload.bind(world.store);
    world.store.upload = (key, body, options) => {
      tags.push(options?.tags);
      return upload(key, body, options);
    };
    await dumpSide(world.service, request(world, program("tagged", "seq 1 3")));
    expect(tags).toEqual([dumpTags]);
  });

  test("mongodump that fails at its end leaves neither archive nor manifest, nor the file with the password", async () => {
    using world = new ServiceWorld({ secrets });
    const bad = program("bad", 'seq 1 100000; echo "Failed: connection reset" >&2; exit 1');
    const asked = request(world, bad);
    await expect(dumpSide(world.service, asked)).rejects.toThrow("connection reset");
    expect(await completeDump(world.store, worldFailbackId, "mongodb")).toBeUndefined();
    const left: string[] = [];
    for await (const { key } of world.store.list(world.keys.dump("mongodb"))) left.push(key);
    expect(left).toEqual([]);
    expect(readdirSync(asked.directory)).toEqual([]);
  });

  test("the password is in a file of mode 0600 while mongodump runs, and in no argument", async () => {
    using world = new ServiceWorld({ secrets });
    const copy = join(folder, "seen");
    const spy = program("spy", `cp -p "$3" ${copy}; echo "$@"`);
    const manifest = await dumpSide(world.service, request(world, spy));
    expect(readFileSync(copy, "utf8")).toBe('uri: "mongodb://user:password@host:1/"\n');
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(gunzipSync((await world.store.get(manifest.key))!.body).toString()).not.toContain("password");
    expect(existsSync(join(world.service.stateDirectory, "private", "mongodump-mongodb.yaml"))).toBe(false);
  });

  test("a bucket that refuses the upload ends the dump and mongodump with it", async () => {
    using world = new ServiceWorld({ secrets });
    world.store.upload = async (_key, body) => {
      for await (const _chunk of body) throw new Error("access denied");
      throw new Error("nothing was read");
    };
    const pidFile = join(folder, "pid");
    const endless = program("endless", `echo $$ > ${pidFile}; exec yes`);
    await expect(dumpSide(world.service, request(world, endless))).rejects.toThrow("access denied");
    const pid = Number(readFileSync(pidFile, "utf8"));
    await waitFor("mongodump to have ended", () => !existsSync(`/proc/${pid}/exe`));
  });

  test("a dump of DocumentDB from before the newest fence does not count", async () => {
    using world = new ServiceWorld({ secrets });
    const good = program("good", "echo data");
    const fence = {
      version: 1,
      failbackId: worldFailbackId,
      sentinelId: "s",
      writtenAt: "",
      refusals: [],
    } as const;
    await addFence(world.store, { ...fence, number: 1 });
    await dumpSide(world.service, request(world, good, { side: "documentdb", fence: 1 }));
    expect(await completeDump(world.store, worldFailbackId, "documentdb")).toBeDefined();
    await addFence(world.store, { ...fence, number: 2 });
    expect(await completeDump(world.store, worldFailbackId, "documentdb")).toBeUndefined();
  });
});
