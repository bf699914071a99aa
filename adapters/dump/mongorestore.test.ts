import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { replayOplog, restoreArchive } from "./mongorestore.ts";

const folder = mkdtempSync(join(tmpdir(), "roundtrip-mongorestore-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A program in mongorestore's place. */
function program(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

const common = {
  configurationPath: "/run/restore.yaml",
  what: "restore",
  signal: new AbortController().signal,
};

async function* archive(): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode("an archive");
}

const duplicate =
  'echo "x continuing through error: E11000 duplicate key error collection: shop.a index: _id_ dup key: { _id: 1 }" >&2';
const failed = (count: number) =>
  `cat >/dev/null; ${duplicate}; echo "x 5 document(s) restored successfully. ${count} document(s) failed to restore." >&2`;

test("a document that was not restored fails, unless it is twice in the archive and the oplog settles it", async () => {
  const one = program("one", failed(1));
  await expect(restoreArchive(archive(), { ...common, executable: one })).rejects.toMatchObject({
    kind: "unavailable",
    got: expect.stringContaining("1 document(s) failed"),
  });
  await restoreArchive(archive(), { ...common, executable: one, oplogSettlesDuplicates: true });
  const two = program("two", failed(2));
  const settled = restoreArchive(archive(), { ...common, executable: two, oplogSettlesDuplicates: true });
  await expect(settled).rejects.toThrow("2 document(s) failed");
});

test("why mongorestore failed is told, not its last line", async () => {
  const bad = program(
    "bad",
    'cat >/dev/null; echo "x Failed: corruption found in archive" >&2; echo "x 5 document(s) restored successfully. 0 document(s) failed to restore." >&2; exit 1',
  );
  await expect(restoreArchive(archive(), { ...common, executable: bad })).rejects.toThrow("corruption found");
});

test("a replay is given its limit, and neither archive nor address", async () => {
  const lines: string[] = [];
  const shows = program("shows", 'echo "$@" >&2');
  await replayOplog({
    ...common,
    executable: shows,
    file: "/run/piece.bson",
    directory: join(folder, "empty"),
    limit: { t: 7, i: 3 },
    onLine: (line) => lines.push(line),
  });
  expect(lines.join(" ").trim()).toBe(
    `--oplogReplay --oplogFile=/run/piece.bson --oplogLimit=7:3 --dir=${folder}/empty --config /run/restore.yaml`,
  );
});
