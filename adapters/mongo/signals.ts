import type { MongoClient } from "mongodb";
import { controlCollection, controlDatabase } from "../../core/failback/layout.ts";

/** A document of `roundtrip_control.signals` that is inserted once: canary or sentinel. */
export interface Signal {
  readonly _id: string;
  readonly kind: "canary" | "sentinel";
  readonly failbackId: string;
  readonly at: Date;
}

const majorityWaitMs = 30_000;

/** Inserts a signal and returns when a majority holds it. What the driver throws passes through. */
export async function insertSignal(client: MongoClient, signal: Signal): Promise<void> {
  await client
    .db(controlDatabase)
    .collection<Signal>(controlCollection)
    .insertOne(signal, { writeConcern: { w: "majority", wtimeoutMS: majorityWaitMs } });
}
