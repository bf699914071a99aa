/** Applies a log in S3 to MongoDB in this process and says what it took: `bun restore-once.ts <mongodb uri> <bucket>`. */
import { MongoClient } from "mongodb";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { newestManifest } from "../../adapters/log/manifests.ts";
import { testCapture } from "../../tests/support/capture-context.ts";
import { applyCaptured } from "./apply-captured.ts";

const [uri = "", bucket = ""] = process.argv.slice(2);
const store = new S3ObjectStore({ bucket, region: "us-east-1" });
const client = await new MongoClient(uri).connect();
using capture = await testCapture(store);
const newest = await newestManifest(store, capture.failback.id);
const before = performance.now();
await applyCaptured(client, store, capture, newest!.manifest);
const ms = performance.now() - before;
await client.close();
console.log(JSON.stringify({ ms, peakMiB: Math.round(process.resourceUsage().maxRSS / 1024) }));
