/** A release on its way into the bucket that hosts install from. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { sha256Of } from "../../core/sha256.ts";
import { startTestAws, type TestAws } from "../../sandbox/aws/test-server.ts";
import { sumsOf } from "../../scripts/release/build.ts";

setDefaultTimeout(60_000);

const bucket = "releases";
let aws: TestAws;
let folder: string;

beforeEach(async () => {
  aws = await startTestAws();
  await new S3Client({ forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: bucket }));
  folder = mkdtempSync(join(tmpdir(), "upload-"));
  built("worker 1");
});
afterEach(async () => {
  await aws[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A release of two small files, in the shape that `release build` leaves. */
function built(worker: string): void {
  const contents = { "roundtrip-linux-x64": "command", "roundtrip-worker-linux-x64": worker };
  const files = Object.entries(contents).map(([name, text]) => {
    writeFileSync(join(folder, name), text);
    return { name, key: `1.2.3/${name}`, bytes: text.length, sha256: sha256Of(text) };
  });
  writeFileSync(join(folder, "SHA256SUMS"), sumsOf(files));
  const release = { version: 1, release: "1.2.3", commit: "c", compiler: "bun", files };
  writeFileSync(join(folder, "release.json"), JSON.stringify(release));
}

async function upload(variables: Readonly<Record<string, string>> = {}) {
  const args = ["scripts/release.ts", "upload", "--folder", folder, "--bucket", bucket];
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: join(import.meta.dirname, "../.."),
    env: { ...process.env, AWS_SDK_UA_APP_ID: "upload", ...variables },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
}

const stored = async (name: string) => {
  const found = await createObjectStore({ bucket }).get(`1.2.3/${name}`);
  return found && new TextDecoder().decode(found.body);
};

test("what was built lies below its version, release.json last; again nothing is put", async () => {
  const first = await upload();
  expect(first.out.split("\n")).toEqual([
    "1.2.3/roundtrip-linux-x64 is in place",
    "1.2.3/roundtrip-worker-linux-x64 is in place",
    "1.2.3/SHA256SUMS is in place",
    "1.2.3/release.json is in place",
    "release 1.2.3 is in releases",
    "",
  ]);
  expect(await stored("roundtrip-worker-linux-x64")).toBe("worker 1");
  const second = await upload();
  expect(second).toEqual(first);
});

test("refused in the middle: no release.json; running it again finishes", async () => {
  await aws.control("POST", "faults", {
    caller: "upload",
    operation: "PutObject",
    keyPattern: "SHA256SUMS",
    times: 1,
    action: { status: 403, code: "AccessDenied" },
  });
  expect((await upload()).code).toBe(5);
  expect(await stored("roundtrip-worker-linux-x64")).toBe("worker 1");
  expect(await stored("release.json")).toBeUndefined();
  expect((await upload()).code).toBe(0);
  expect(await stored("release.json")).toContain('"1.2.3"');
});

test("published by gh: the tag at the commit that was built, every file; another tag, or one that was there, is refused", async () => {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const gh = join(bin, "gh");
  writeFileSync(
    gh,
    '#!/bin/sh\n[ -e "$0.done" ] && { echo "a release with the same tag name already exists" >&2; exit 1; }\nprintf "%s\\n" "$@" > "$0.done"\n',
  );
  chmodSync(gh, 0o755);
  const publish = (tag: string) => {
    const args = ["scripts/release.ts", "publish", "--folder", folder, "--tag", tag];
    const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
    const ran = Bun.spawnSync([process.execPath, ...args], {
      cwd: join(import.meta.dirname, "../.."),
      env,
      stderr: "pipe",
    });
    return { code: ran.exitCode, err: ran.stderr.toString() };
  };
  expect(publish("v1.2.4")).toEqual({ code: 3, err: expect.stringContaining("expected v1.2.3") });
  expect(publish("v1.2.3").code).toBe(0);
  const told = readFileSync(`${gh}.done`, "utf8").trimEnd().split("\n");
  expect(told.slice(0, 5)).toEqual(["release", "create", "v1.2.3", "--target", "c"]);
  expect(told.slice(-4)).toEqual(
    ["roundtrip-linux-x64", "roundtrip-worker-linux-x64", "SHA256SUMS", "release.json"].map((name) =>
      join(folder, name),
    ),
  );
  expect(publish("v1.2.3")).toEqual({ code: 3, err: expect.stringContaining("already exists") });
});

test("another build of the same version replaces nothing", async () => {
  await upload();
  built("worker 2");
  const refused = await upload();
  expect([refused.code, refused.err]).toEqual([3, expect.stringContaining("a release is never replaced")]);
  expect(await stored("roundtrip-worker-linux-x64")).toBe("worker 1");
});

test("a file that isn't what was built is not put", async () => {
  writeFileSync(join(folder, "roundtrip-linux-x64"), "altered");
  const refused = await upload();
  expect([refused.code, refused.err]).toEqual([11, expect.stringContaining("as it was built")]);
  expect(await stored("roundtrip-linux-x64")).toBeUndefined();
});
