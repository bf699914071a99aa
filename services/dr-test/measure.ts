/** RTO and RPO of a test, against what the environment wants. */
import type { MongoClient } from "mongodb";
import { newestBackup } from "../../adapters/state/backups.ts";
import { readJson } from "../../adapters/state/json.ts";
import type { Verification } from "../../core/backup/documents.ts";
import { drTestDatabase } from "../../core/backup/dr-test.ts";
import { latestVerificationKey } from "../../core/backup/layout.ts";
import type { Objective } from "../../core/failback/objectives.ts";
import type { OperationTime } from "../../core/ports.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import { heartbeatsCollection } from "./database.ts";
import type { Heartbeat } from "./heartbeats.ts";

/** How the test's data was lost. */
export interface Loss {
  readonly at: Date;
  /** Confirmed by the server before. */
  readonly heartbeats: number;
  /** Whether the archive of the oplog was being written. */
  readonly archived: boolean;
  /** From here on the archive is applied. */
  readonly after: OperationTime;
}

interface Measured {
  readonly objectives: readonly Objective[];
  /** What was lost, in a line. */
  readonly lost: string;
}

/** @param backMs from the loss until everything was back and compared */
export async function measure(
  service: ServiceContext,
  client: MongoClient,
  loss: Loss,
  backMs: number,
): Promise<Measured> {
  const maxMs = service.settings.rtoSecondsMax * 1000;
  const rto = (what: string, measuredMs: number) => ({ name: "RTO" as const, what, measuredMs, maxMs });
  const { objective, lost } = await (loss.archived ? byHeartbeats(client, loss) : byBackup(service, loss));
  const rpo = { ...objective, name: "RPO" as const, maxMs: service.settings.rpoSecondsMax * 1000 };
  const whole = await wholeRestore(service);
  return {
    objectives: [
      rto("from the loss until every document was compared", backMs),
      ...(whole ? [rto(whole.what, whole.measuredMs)] : []),
      rpo,
    ],
    lost,
  };
}

type Lost = { objective: Pick<Objective, "what" | "measuredMs">; lost: string };

/** How much time's writes are lost, by the newest heartbeat that is back. */
async function byHeartbeats(client: MongoClient, loss: Loss): Promise<Lost> {
  const collection = client.db(drTestDatabase).collection<Heartbeat>(heartbeatsCollection);
  const found = await collection.findOne({}, { sort: { _id: -1 } });
  const measured = found ? { measuredMs: loss.at.getTime() - found.at.getTime() } : {};
  return {
    objective: { what: "from the newest write that is back until the loss", ...measured },
    lost: `${loss.heartbeats - 1 - (found?._id ?? -1)} of ${loss.heartbeats} heartbeats lost`,
  };
}

async function byBackup({ store }: ServiceContext, loss: Loss): Promise<Lost> {
  const backup = await newestBackup(store);
  const measured = backup ? { measuredMs: loss.at.getTime() - Date.parse(backup.startedAt) } : {};
  return {
    objective: { what: "from the newest backup until the loss: nobody archives the oplog", ...measured },
    lost: "oplog-archive.service writes nothing: everything since the newest backup would be lost",
  };
}

/** The test's data is small: how long everything takes is known from the verification that restored it. */
async function wholeRestore({
  store,
}: ServiceContext): Promise<{ what: string; measuredMs: number } | undefined> {
  const newest = (await readJson<Verification>(store, latestVerificationKey))?.value;
  const restored = newest?.levels.find(({ level, verdict }) => level === 3 && verdict === "PROVEN");
  if (!newest || !restored) return undefined;
  const what = `the whole backup ${newest.backupId} restored and compared, by its verification`;
  return { what, measuredMs: restored.seconds * 1000 };
}
