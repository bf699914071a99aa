import { randomBytes } from "node:crypto";
import { followManifests, newestManifest } from "../../adapters/log/manifests.ts";
import { insertSignal } from "../../adapters/mongo/signals.ts";
import { type Action, check, passed } from "./action.ts";

const seenMsMax = 120_000;

/**
 * Proves capture: a canary inserted into the covered control namespace is found in the log, in a manifest committed
 * after it was written (invariants.md 4). Each run writes a canary of its own.
 */
export const run: Action = async ({ service, failback, databases }) => {
  const { store, clock, environment } = service;
  const { client, failure } = await databases.open("documentdb");
  const before = await newestManifest(store, failback.id);
  const id = `canary-${failback.id}-${randomBytes(6).toString("hex")}`;
  const startedMs = clock.monotonicMs();
  await insertSignal(client, { _id: id, kind: "canary", failbackId: failback.id, at: clock.now() }).catch(
    (error) => {
      throw failure(error, "write the canary");
    },
  );
  const deadline = AbortSignal.timeout(seenMsMax);
  const signal = AbortSignal.any([deadline, service.signal]);
  const after = before && { number: before.manifest.number, sha256: before.sha256 };
  const follow = { store, failbackId: failback.id, clock, signal, ...(after ? { after } : {}) };
  for await (const { manifest } of followManifests(follow)) {
    const seen = manifest.signals.find((found) => found.id === id);
    if (!seen) continue;
    const seenMs = Math.round(clock.monotonicMs() - startedMs);
    return {
      checks: [passed("canary in the log", `found in bucket ${environment.bucket}`, `after ${seenMs} ms`)],
      data: { canary: id, manifest: manifest.number, sequence: seen.sequence, seenMs },
    };
  }
  service.signal.throwIfAborted();
  const { active, result } = await service.units.state("replication.service");
  return {
    checks: [
      check("canary in the log", false, {
        expected: `canary ${id} in a manifest within ${seenMsMax / 1000} s`,
        got: `not there; replication.service is ${active}, result ${result}`,
        wayOut: "see `roundtrip logs replication`; application users get no writes before capture is proved",
      }),
    ],
    data: { canary: id },
  };
};
