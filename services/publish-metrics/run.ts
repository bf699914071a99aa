import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AwsMetrics } from "../../adapters/aws/metrics.ts";
import { backupIds, readBackup } from "../../adapters/state/backups.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { BackupRun, OplogRun } from "../../core/backup/documents.ts";
import { runKey } from "../../core/backup/layout.ts";
import type { ServiceStatus } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { Phase } from "../../core/failback/phase.ts";
import { metricsOf, type Observed, prometheusText } from "../../core/monitoring/metrics.ts";
import type { ServiceContext } from "../runtime/definition.ts";

/** terraform/stack/main.hosts.tf lets hosts write this one alone. */
const namespace = "Roundtrip";
/** While capture runs, or should: after the fence nobody minds its age. */
const capturing: readonly Phase[] = ["capturing", "draining"];

/** See the verb's summary. The file is written first: it is there also where CloudWatch can't be reached. */
export async function publishMetrics(
  service: ServiceContext,
  cloudWatch: Pick<AwsMetrics, "put">,
): Promise<void> {
  const { environment } = service.environment;
  const observed = await observe(service);
  const metrics = metricsOf(observed);
  await writeWhole(join(service.stateDirectory, "metrics.prom"), prometheusText(metrics, environment));
  await cloudWatch.put(namespace, environment, observed.now, metrics);
  service.logger.info(
    Object.fromEntries(metrics.map(({ name, value }) => [name, Math.round(value)])),
    "metrics published",
  );
}

async function observe(service: ServiceContext): Promise<Observed> {
  const { store, clock } = service;
  const lastTwo = (await backupIds(store)).slice(-2).reverse();
  const [newest, before] = await Promise.all(lastTwo.map((id) => readBackup(store, id)));
  const restoreTest = (await readJson<BackupRun>(store, runKey("restore-test")))?.value;
  const oplog = (await readJson<OplogRun>(store, runKey("oplog")))?.value;
  const capture = await captureStatus(service);
  return {
    now: clock.now(),
    ...(newest && { newest }),
    ...(before && { before }),
    ...(restoreTest && { restoreTest }),
    ...(oplog && { oplog }),
    ...(capture && { capture }),
  };
}

async function captureStatus(service: ServiceContext): Promise<Observed["capture"]> {
  const { phase, failbackId } = await service.phaseStore.read();
  if (!capturing.includes(phase)) return undefined;
  const status = await readJson<ServiceStatus>(service.store, keysOf(failbackId).status("replication"));
  return status && { status: status.value, heartbeatSeconds: service.settings.heartbeatSeconds };
}

/** Who reads it meanwhile sees the old one or the new one. */
async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.partial`, text, { mode: 0o644 });
  await rename(`${path}.partial`, path);
}
