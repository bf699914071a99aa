import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { sha256Of } from "../../core/sha256.ts";
import { Installation, versionOf } from "./installation.ts";

const program = (version: string) => Buffer.from(`#!/bin/sh\necho "roundtrip-worker ${version} (c)"\n`);
const [first, next] = [program("1.0.0"), program("2.0.0")];
const release = `AWS_REGION=eu-west-1\n# a note\nWORKER_KEY=1.0.0/worker\nWORKER_SHA256=${sha256Of(first)}\nCA_BUNDLE_KEY=ca.pem\n`;
let host: string;
let installation: Installation;

beforeEach(() => {
  host = mkdtempSync(join(tmpdir(), "installation-"));
  for (const folder of ["opt/roundtrip/bin", "etc/roundtrip"])
    mkdirSync(join(host, folder), { recursive: true });
  writeFileSync(link(), first);
  chmodSync(link(), 0o755);
  writeFileSync(join(host, "etc/roundtrip/release.env"), release);
  installation = Installation.of(link(), join(host, "etc/roundtrip/environment.json"));
});
afterEach(() => rmSync(host, { recursive: true, force: true }));

const link = () => join(host, "opt/roundtrip/bin/roundtrip-worker");
const versions = () => join(host, "opt/roundtrip/versions");
const failureOf = (action: Promise<unknown>) =>
  action.then(
    () => undefined,
    (error: RoundtripError) => error,
  );

test("a worker that was put there as a file gets a version of its own; nobody finds none in between, and twice is once", async () => {
  for (const _twice of [1, 2]) {
    expect(await installation.current()).toBe(installation.program(sha256Of(first)));
    expect(readlinkSync(link())).toBe(installation.program(sha256Of(first)));
    expect(await versionOf(link())).toBe("roundtrip-worker 1.0.0 (c)");
  }
  expect(readdirSync(join(host, "opt/roundtrip/bin"))).toEqual(["roundtrip-worker"]);
});

test("another version lies beside it, is used from one moment to the next, and the one before is still there", async () => {
  const old = await installation.current();
  const released = { key: "2.0.0/worker", sha256: sha256Of(next) };
  expect(await installation.isThere(released)).toBe(false);
  expect(await installation.add(next, released)).toBe("roundtrip-worker 2.0.0 (c)");
  expect(await versionOf(link())).toBe("roundtrip-worker 1.0.0 (c)");
  expect(await installation.isThere(released)).toBe(true);
  await installation.point(installation.program(released.sha256));
  expect(await versionOf(link())).toBe("roundtrip-worker 2.0.0 (c)");
  // Found from the version's own folder, too, as a process that was started through the link sees itself.
  const again = Installation.of(
    installation.program(released.sha256),
    join(host, "etc/roundtrip/environment.json"),
  );
  await again.point(old);
  expect(await versionOf(link())).toBe("roundtrip-worker 1.0.0 (c)");
});

test("bytes that aren't the ones named leave nothing; a half-written file of a killed run is no version", async () => {
  const released = { key: "2.0.0/worker", sha256: sha256Of(next) };
  const wrong = await failureOf(installation.add(first, released));
  expect(wrong).toMatchObject({ kind: "configuration", got: `sha256 ${sha256Of(first)}` });
  expect(existsSync(versions())).toBe(false);
  mkdirSync(join(versions(), released.sha256), { recursive: true });
  writeFileSync(`${installation.program(released.sha256)}.partial`, "half");
  expect(await installation.isThere(released)).toBe(false);
  expect(await installation.add(next, released)).toBe("roundtrip-worker 2.0.0 (c)");
  expect(readdirSync(join(versions(), released.sha256))).toEqual(["roundtrip-worker"]);
});

test("a program that can't be run here, or isn't the worker, is refused by its version", async () => {
  for (const text of ["#!/nowhere\n", "#!/bin/sh\necho something else\n", "#!/bin/sh\nexit 1\n"]) {
    const body = Buffer.from(text);
    const error = await failureOf(installation.add(body, { key: "k", sha256: sha256Of(body) }));
    expect(error).toMatchObject({
      kind: "configuration",
      wayOut: expect.stringContaining("nothing was replaced"),
    });
  }
  expect(lstatSync(link()).isFile()).toBe(true);
});

test("the next boot's release changes in two lines alone", async () => {
  await installation.keepReleased({ key: "2.0.0/worker", sha256: sha256Of(next) });
  const text = readFileSync(join(host, "etc/roundtrip/release.env"), "utf8");
  expect(text).toBe(release.replace("1.0.0/worker", "2.0.0/worker").replace(sha256Of(first), sha256Of(next)));
  expect((await installation.release()).get("CA_BUNDLE_KEY")).toBe("ca.pem");
});

test("a worker that is run from source, or a host without release.env, is said as such", async () => {
  expect(() => Installation.of("/usr/lib/bun", "/etc/roundtrip/environment.json")).toThrow(RoundtripError);
  rmSync(join(host, "etc/roundtrip/release.env"));
  expect(await failureOf(installation.release())).toMatchObject({ got: "no such file" });
});
