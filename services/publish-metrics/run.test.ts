import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { writeJson } from "../../adapters/state/json.ts";
import { runKey } from "../../core/backup/layout.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { ServiceWorld, worldFailbackId } from "../../tests/support/service-world.ts";
import { publishMetrics } from "./run.ts";

/** Keeps what it is given. */
class KeptMetrics {
  readonly names: string[] = [];
  failure: Error | undefined;

  async put(_namespace: string, _environment: string, _at: Date, metrics: readonly { name: string }[]) {
    if (this.failure) throw this.failure;
    this.names.push(...metrics.map(({ name }) => name));
  }
}

async function capturingWorld(phase: "capturing" | "restoring"): Promise<ServiceWorld> {
  const world = new ServiceWorld();
  await world.enter(phase);
  await writeJson(world.store, keysOf(worldFailbackId).status("replication"), {
    updatedAt: world.service.clock.now().toISOString(),
    detail: { lagMs: 10, tokenAgeSeconds: 1, retentionSeconds: 100, heartbeatAgeSeconds: 1 },
  });
  return world;
}

test("capture is measured while it should run, and no longer once it has drained", async () => {
  using capturing = await capturingWorld("capturing");
  const metrics = new KeptMetrics();
  await publishMetrics(capturing.service, metrics);
  expect(metrics.names).toEqual(["CaptureLagSeconds", "CaptureTokenAgePercent", "CaptureHeartbeatsMissing"]);

  using restoring = await capturingWorld("restoring");
  const later = new KeptMetrics();
  await publishMetrics(restoring.service, later);
  expect(later.names).toEqual([]);
});

test("where CloudWatch refuses, the run fails, and Prometheus' file is there all the same", async () => {
  using world = await capturingWorld("restoring");
  await writeJson(world.store, runKey("oplog"), {
    at: world.service.clock.now().toISOString(),
    lagSeconds: 3,
  });
  const metrics = new KeptMetrics();
  metrics.failure = new Error("AccessDenied");
  await expect(publishMetrics(world.service, metrics)).rejects.toThrow("AccessDenied");
  const text = readFileSync(join(world.service.stateDirectory, "metrics.prom"), "utf8");
  expect(text).toContain('roundtrip_oplog_lag_seconds{environment="test"} 3');
});
