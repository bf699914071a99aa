import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Blobs } from "./blobs.ts";
import type { Bucket, NewVersion } from "./schema.ts";
import { Store } from "./store.ts";

describe("object versions and their files", () => {
  let dir: string;
  let db: Database;
  let store: Store;
  const plain: Bucket = { name: "b", created: 0, region: "us-east-1", versioning: "" };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "s3-store-"));
    db = new Database(join(dir, "aws.sqlite"));
    store = new Store(db, new Blobs(join(dir, "s3")));
  });
  afterEach(() => {
    db.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const files = () =>
    readdirSync(join(dir, "s3"), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "utf8"))
      .sort();

  function version(key: string, text: string): NewVersion {
    const writer = store.blobs.create();
    writer.write(Buffer.from(text));
    const extents = [writer.close()];
    return {
      key,
      size: text.length,
      etag: text,
      modified: 0,
      extents,
      headers: {},
      metadata: {},
      checksums: {},
      checksumType: "",
      tags: "",
    };
  }

  test("a delete that comes in while a conditional write is under way makes it a 409", () => {
    store.put(plain, version("key", "one"), {}, false);
    const watcher = store.beginConditional("b", "key");
    store.delete(plain, "key", undefined, 0);
    expect(watcher.deleted).toBe(true);
    expect(() => store.put(plain, version("key", "two"), { ifNoneMatch: "*" }, watcher.deleted)).toThrow(
      "conflicting operation",
    );
    watcher.end();
    const next = store.beginConditional("b", "key");
    expect(next.deleted).toBe(false);
    store.put(plain, version("key", "two"), { ifNoneMatch: "*" }, next.deleted);
    next.end();
  });

  test("a replaced or deleted object leaves no file", () => {
    store.put(plain, version("a", "one"), {}, false);
    store.put(plain, version("a", "two"), {}, false);
    store.put(plain, version("b", "three"), {}, false);
    expect(files()).toEqual(["three", "two"]);
    store.delete(plain, "b", undefined, 0);
    expect(files()).toEqual(["two"]);
  });

  test("a failed transaction removes no file of what is still there", () => {
    store.put(plain, version("a", "one"), {}, false);
    const crash = () =>
      store.atomically(() => {
        store.put(plain, version("a", "two"), {}, false);
        throw new Error("crash before the commit");
      });
    expect(crash).toThrow("crash before the commit");
    expect(store.latest("b", "a")?.etag).toBe("one");
    expect(files()).toContain("one");
  });

  test("files that a crash left unnamed are gone after the next start, the others stay", () => {
    store.put(plain, version("a", "one"), {}, false);
    writeFileSync(join(dir, "s3", "00", "00000000-left-behind"), "orphan");
    const again = new Store(db, new Blobs(join(dir, "s3")));
    expect(files()).toEqual(["one"]);
    expect(again.latest("b", "a")?.etag).toBe("one");
  });

  test("versions: deleting the newest brings the one before back; suspending writes the null version", () => {
    const versioned: Bucket = { ...plain, versioning: "Enabled" };
    const one = store.put(versioned, version("a", "one"), {}, false);
    const two = store.put(versioned, version("a", "two"), {}, false);
    store.delete(versioned, "a", two.version, 0);
    expect(store.latest("b", "a")?.version).toBe(one.version);
    const suspended: Bucket = { ...plain, versioning: "Suspended" };
    store.put(suspended, version("a", "three"), {}, false);
    store.put(suspended, version("a", "four"), {}, false);
    expect(store.latest("b", "a")?.version).toBe("null");
    expect(files()).toEqual(["four", "one"]);
  });
});
