import { fenceDependencies } from "../drain/dependencies.ts";
import { raiseFence } from "../drain/raise-fence.ts";
import { type Action, passed } from "./action.ts";

/** Ends the application users' writes, proves it, and raises the fence (invariants.md 12). */
export const run: Action = async ({ service, failback, databases, parameter }) => {
  const server = await databases.open("documentdb");
  const killOperations = parameter("kill-operations") === "true";
  const deps = await fenceDependencies(service, server, failback.scope, killOperations);
  const { fence, reused, inFlight } = await raiseFence(deps);
  return {
    checks: [
      ...fence.refusals.map(({ user, afterMs }) =>
        passed(
          `user ${user} is refused`,
          "no write on connections opened before",
          `refused after ${afterMs} ms`,
        ),
      ),
      passed("nothing in flight", "no operation or transaction of theirs", `after ${inFlight.waitedMs} ms`),
      passed(
        "fence written",
        `fence ${fence.number}`,
        reused ? "stands since an earlier drain" : fence.sentinelId,
      ),
    ],
    data: {
      fence: fence.number,
      sentinelId: fence.sentinelId,
      writtenAt: fence.writtenAt,
      reused,
      ...inFlight,
    },
  };
};
