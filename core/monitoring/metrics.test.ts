import { describe, expect, test } from "bun:test";
import type { BackupManifest, BackupRun, OplogRun } from "../backup/documents.ts";
import type { ServiceStatus } from "../failback/documents.ts";
import { metricsOf, type Observed, prometheusText } from "./metrics.ts";

const now = new Date("2026-11-21T12:00:00.000Z");

function backup(finishedAt: string, bytes: number): BackupManifest {
  return {
    version: 1,
    id: finishedAt,
    environment: "test",
    source: { setName: "rs0", replicaSetId: "1" },
    startedAt: finishedAt,
    finishedAt,
    tool: "mongodump",
    archive: { key: "", compression: "gzip", bytes, sha256: "" },
    collections: [],
    oplog: { entries: 0, last: { t: 1, i: 1 } },
  };
}

const run: BackupRun = { version: 1, kind: "backup", state: "finished", startedAt: now.toISOString() };
const oplog: OplogRun = {
  ...run,
  kind: "oplog",
  state: "running",
  at: "2026-11-21T11:59:30.000Z",
  lagSeconds: 5,
};

function capturing(secondsAgo: number): NonNullable<Observed["capture"]> {
  const updatedAt = new Date(now.getTime() - secondsAgo * 1000).toISOString();
  const status: ServiceStatus = {
    version: 1,
    service: "replication",
    failbackId: "fb-1",
    state: "running",
    updatedAt,
    startedAt: updatedAt,
    host: "host",
    run: "run",
    detail: { lagMs: 1500, tokenAgeSeconds: 0, retentionSeconds: 1000, heartbeatAgeSeconds: 20 },
  };
  return { status, heartbeatSeconds: 60 };
}

function values(observed: Omit<Observed, "now">): Record<string, number> {
  return Object.fromEntries(metricsOf({ now, ...observed }).map(({ name, value }) => [name, value]));
}

describe("metrics", () => {
  test("nothing was ever done: nothing is said, and the alarms on silence ring", () => {
    expect(values({})).toEqual({});
  });

  test("a backup's age counts from its end; its size is compared with the one before, whether it grew or shrank", () => {
    const newest = backup("2026-11-21T00:10:00.000Z", 50);
    expect(values({ newest })).toEqual({ BackupAgeSeconds: 11 * 3600 + 50 * 60 });
    expect(values({ newest, before: backup("2026-11-20T00:10:00.000Z", 200) })).toMatchObject({
      BackupSizeDeltaPercent: 75,
    });
    expect(values({ newest, before: backup("2026-11-20T00:10:00.000Z", 20) })).toMatchObject({
      BackupSizeDeltaPercent: 150,
    });
    expect(values({ newest, before: backup("2026-11-20T00:10:00.000Z", 0) })).toMatchObject({
      BackupSizeDeltaPercent: 100,
    });
  });

  test("only a restore test that was finished counts", () => {
    const finishedAt = "2026-11-20T12:00:00.000Z";
    const restoreTest: BackupRun = { ...run, kind: "restore-test", finishedAt };
    expect(values({ restoreTest })).toEqual({ RestoreTestAgeSeconds: 86_400 });
    expect(values({ restoreTest: { ...restoreTest, state: "failed" } })).toEqual({});
  });

  test("an archive that fell silent is as far behind as it said, and its silence", () => {
    expect(values({ oplog })).toEqual({ OplogLagSeconds: 35 });
  });

  test("capture that reports says its own numbers; one that fell silent gets worse by itself", () => {
    expect(values({ capture: capturing(1) })).toEqual({
      CaptureLagSeconds: 1.5,
      CaptureTokenAgePercent: 0.1,
      CaptureHeartbeatsMissing: 0,
    });
    expect(values({ capture: capturing(500) })).toEqual({
      CaptureLagSeconds: 501.5,
      CaptureTokenAgePercent: 50,
      CaptureHeartbeatsMissing: 8,
    });
  });

  test("Prometheus' text: a gauge each, in its snake case", () => {
    const text = prometheusText(metricsOf({ now, oplog }), "prod");
    expect(text).toBe(
      '# HELP roundtrip_oplog_lag_seconds How far the archive of MongoDB\'s oplog is behind.\n# TYPE roundtrip_oplog_lag_seconds gauge\nroundtrip_oplog_lag_seconds{environment="prod"} 35\n',
    );
  });
});
