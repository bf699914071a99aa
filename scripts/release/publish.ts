import { readFileSync } from "node:fs";
import { join } from "node:path";
import { RoundtripError } from "../../core/errors.ts";
import { run } from "../setup/run.ts";
import { type Release, releaseName, sumsName } from "./model.ts";

const minutesMax = 20;

/**
 * Makes the release on GitHub, with its tag at the commit that was built, by GitHub's own `gh`, which uploads to a draft and
 * publishes when all is there. Fails `refused` where gh does, which it does for a tag that was released.
 */
export async function publishRelease(folder: string, tag: string): Promise<void> {
  const { release, commit, files } = JSON.parse(readFileSync(join(folder, releaseName), "utf8")) as Release;
  if (tag !== `v${release}`) throw refused(tag, `v${release}, which is what was built`, tag);
  const paths = [...files.map(({ name }) => name), sumsName, releaseName].map((name) => join(folder, name));
  const notes = `Check what you download: sha256sum --check --ignore-missing ${sumsName}; gh attestation verify FILE --repo OWNER/REPOSITORY.`;
  const options = ["--target", commit, "--title", tag, "--notes", notes];
  const ran = await run("gh", ["release", "create", tag, ...options, ...paths], {
    timeoutMs: minutesMax * 60_000,
  });
  if (ran.code !== 0)
    throw refused(
      tag,
      "gh release create to end with 0",
      ran.stderr.trim().slice(-1000) || `exit code ${ran.code}`,
    );
}

function refused(tag: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `publish ${tag}`,
    expected,
    got,
    wayOut:
      "a release is made once: raise the version in package.json; a draft that was left is deleted by hand",
  });
}
