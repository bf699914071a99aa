import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isPrecondition } from "../../adapters/store-error.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import { type Release, releaseName, sumsName } from "./model.ts";

/**
 * Puts a built release into the bucket that hosts install from, `release.json` last. Safe to run again; what is there is
 * never replaced. Fails `logCorrupt` for a file that isn't what was built, `refused` where another build of the same version
 * is there.
 */
export async function uploadRelease(
  store: ObjectStore,
  folder: string,
  say: (line: string) => void,
): Promise<Release> {
  const release = JSON.parse(readFileSync(join(folder, releaseName), "utf8")) as Release;
  for (const { name, key, sha256 } of release.files) {
    const body = readFileSync(join(folder, name));
    const found = sha256Of(body);
    if (found !== sha256) throw altered(name, sha256, found);
    await putOnce(store, key, body);
    say(`${key} is in place`);
  }
  for (const name of [sumsName, releaseName]) {
    const key = `${release.release}/${name}`;
    await putOnce(store, key, readFileSync(join(folder, name)));
    say(`${key} is in place`);
  }
  return release;
}

/** A conditional put that finds its own bytes there counts as done (ObjectStore). */
async function putOnce(store: ObjectStore, key: string, body: Uint8Array): Promise<void> {
  try {
    await store.put(key, body, { ifNoneMatch: true });
  } catch (error) {
    if (!isPrecondition(error)) throw error;
    throw new RoundtripError(
      {
        kind: "refused",
        what: `release ${key}`,
        expected: `no object of that name, or the one with sha256 ${sha256Of(body)}`,
        got: "another one",
        wayOut: "a release is never replaced: raise the version in package.json and release that",
      },
      { cause: error },
    );
  }
}

function altered(name: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `upload ${name}`,
    expected: `sha256 ${expected}, as it was built`,
    got: `sha256 ${got}`,
    wayOut: "build the release again",
  });
}
