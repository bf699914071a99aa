import { requireProven } from "../clean/verdict.ts";
import { reopenMongodb } from "../closing/closing.ts";
import { type Action, passed } from "./action.ts";

/** Opens MongoDB to its writers after PROVEN; DocumentDB's application users stay read-only (invariants.md 25). */
export const run: Action = async ({ service, failback, databases }) => {
  await requireProven(service.store, failback.id, "reopen MongoDB");
  const server = await databases.open("mongodb");
  const { closing, provedAfterMs } = await reopenMongodb(service, server, failback.scope);
  return {
    checks: [
      passed("MongoDB is open to writers", "a probe user's write allowed", `after ${provedAfterMs} ms`),
      passed(
        "TTL deletion as before",
        closing.ttl.map(({ member, enabled }) => `${member}: ${enabled}`).join(", "),
      ),
    ],
    data: { method: closing.method, reopenedAt: closing.reopenedAt },
  };
};
