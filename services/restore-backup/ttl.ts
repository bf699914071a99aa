import { isTtlOn, setTtl } from "../../adapters/mongo/members.ts";
import type { MongodbClosing } from "../../core/failback/documents.ts";
import { applyTtl, readTtl } from "../closing/ttl.ts";
import type { Target } from "./target.ts";

export type TtlStates = MongodbClosing["ttl"];

/**
 * Whether each member of the target deletes expired documents. While a restore applies the log none may: an update would
 * not find its document, which its own server deleted later.
 */
export function ttlOf({ client, replicaSetId, hosts, failure }: Target): Promise<TtlStates> {
  const states = replicaSetId
    ? readTtl(client)
    : isTtlOn(client).then((enabled) => [{ member: hosts, enabled }]);
  return states.catch((error) => {
    throw failure(error, "see whether it deletes by TTL");
  });
}

/** Switches TTL deletion off, or back to what it was. */
export async function switchTtl(target: Target, wanted: false | TtlStates): Promise<void> {
  const { client, replicaSetId, failure } = target;
  try {
    if (replicaSetId) await applyTtl(client, wanted);
    else await setTtl(client, wanted !== false && (wanted[0]?.enabled ?? true));
  } catch (error) {
    throw failure(error, `switch TTL deletion ${wanted === false ? "off" : "back"}`);
  }
}
