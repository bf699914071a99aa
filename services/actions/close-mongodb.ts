import { closeMongodb } from "../closing/closing.ts";
import { type Action, passed } from "./action.ts";

/** Closes MongoDB to its writers, proved, TTL deletion off; the block time bounds the tail (invariants.md 15, 17). */
export const run: Action = async ({ service, failback, databases }) => {
  const server = await databases.open("mongodb");
  const { closing, provedAfterMs, administrators } = await closeMongodb(service, server, failback.scope);
  const how = closing.method === "user-write-block" ? "setUserWriteBlockMode" : "roles revoked";
  return {
    checks: [
      passed(
        "MongoDB is closed to writers",
        "a probe user's write refused",
        `${how}, after ${provedAfterMs} ms`,
      ),
      passed("TTL deletion is off", "ttlMonitorEnabled false on every member"),
    ],
    data: {
      method: closing.method,
      blockTime: closing.blockTime,
      closedAt: closing.closedAt,
      canStillWrite: administrators,
    },
  };
};
