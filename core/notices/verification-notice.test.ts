import { expect, test } from "bun:test";
import type { LevelVerdict, Verification } from "../backup/documents.ts";
import { isTold, verificationNotice } from "./verification-notice.ts";

function verification(verdict: LevelVerdict, before?: LevelVerdict): Verification {
  return {
    version: 1,
    environment: "prod",
    backupId: "2026-11-21T00-00-00Z",
    startedAt: "2026-11-21T00:40:00Z",
    finishedAt: "2026-11-21T00:41:00Z",
    verdict,
    ...(before ? { before } : {}),
    levels: [{ level: 2, verdict, findings: ["shop.<!channel>: expected 3 documents, got 2"], seconds: 1 }],
  };
}

test("a failure is told each time, a success only behind a failure", () => {
  expect(isTold(verification("DIFFERS"))).toBe(true);
  expect(isTold(verification("UNKNOWN", "UNKNOWN"))).toBe(true);
  expect(isTold(verification("PROVEN", "DIFFERS"))).toBe(true);
  expect(isTold(verification("PROVEN", "PROVEN"))).toBe(false);
  expect(isTold(verification("PROVEN"))).toBe(false);
});

test("what is wrong, what it means and what to run next, in words that mention nobody", () => {
  const context = { environment: "prod", repository: "https://github.com/acme/data" };
  const { text } = verificationNotice(verification("DIFFERS"), context);
  expect(text.split("\n")).toEqual([
    "prod: a backup is not what was dumped (DIFFERS)",
    "Don't restore from it. The backups before it stand as they are.",
    "level 2 DIFFERS: shop.&lt;!channel&gt;: expected 3 documents, got 2",
    "*Next:* <https://github.com/acme/data/actions/workflows/backup.yml|backup> takes a new one, <https://github.com/acme/data/actions/workflows/verify-backup.yml|verify-backup> proves it",
  ]);
  expect(verificationNotice(verification("PROVEN", "UNKNOWN"), context).text.split("\n")).toEqual([
    "prod: backups are proven again (PROVEN)",
    "The newest verification found everything as it was dumped.",
  ]);
});
