import type { MongoClient } from "mongodb";
import { controlCollection, controlDatabase } from "../../core/failback/layout.ts";

interface HeartbeatDocument {
  readonly _id: string;
  readonly kind: "heartbeat";
  readonly failbackId: string;
  readonly at: Date;
  readonly number: number;
}

const majorityWaitMs = 10_000;

/** Updates the failback's one heartbeat document in place. What the driver throws passes through. */
export async function writeHeartbeat(
  client: MongoClient,
  failbackId: string,
  number: number,
  at: Date,
): Promise<void> {
  await client
    .db(controlDatabase)
    .collection<HeartbeatDocument>(controlCollection)
    .updateOne(
      { _id: `heartbeat-${failbackId}` },
      { $set: { kind: "heartbeat", failbackId, at, number } },
      { upsert: true, writeConcern: { w: "majority", wtimeoutMS: majorityWaitMs } },
    );
}
