import { followManifests } from "../../adapters/log/manifests.ts";
import { isClusterStreamOn, setClusterStream } from "../../adapters/mongo/change-stream-scopes.ts";
import { readJson, writeJson } from "../../adapters/state/json.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { Check, StartPoint } from "../../core/failback/documents.ts";
import { returnRoles } from "../access/return-roles.ts";
import { readClosing, reopenMongodb } from "../closing/closing.ts";
import { fenceDependencies } from "../drain/dependencies.ts";
import { raiseFence } from "../drain/raise-fence.ts";
import { type Action, type ActionContext, check, passed } from "./action.ts";

const unit = "replication.service";
const sentinelMsMax = 120_000;

/**
 * Undoes a start nobody wrote through (invariants.md 26). Application users lose their writes first, and the log is
 * read to a sentinel behind that: one write of theirs, and nothing is undone.
 */
export const run: Action = async (context) => {
  const { service, failback, databases } = context;
  const roles = new RolesStore(service.store, failback.id);
  const granted = (await roles.read()).grants.length > 0;
  const startPoint = await readJson<StartPoint>(service.store, failback.keys.startPoint);
  const nothing =
    granted && startPoint
      ? await nothingWritten(context)
      : passed("nothing was written", "no application user was ever let write", "no grant recorded");
  if (!nothing.ok) return { checks: [nothing], data: {} };

  const checks: Check[] = [nothing];
  const stopped = { version: 1, at: service.clock.now().toISOString() };
  await writeJson(service.store, failback.keys.captureStopped, stopped);
  await service.units.stop(unit);
  checks.push(passed("capture stopped", unit));
  const closing = await readClosing(service.store, failback.id);
  if (closing && !closing.reopenedAt) {
    await reopenMongodb(service, await databases.open("mongodb"), failback.scope);
    checks.push(passed("MongoDB is open to writers", "a probe user's write allowed"));
  }
  const { access, client, failure } = await databases.open("documentdb");
  const options = { access, roles, failbackId: failback.id, logger: service.logger };
  const returned = await returnRoles({ ...options, wanted: () => true });
  checks.push(
    passed("old roles given back", failback.keys.roles, returned.join(", ") || "nobody had been demoted"),
  );
  try {
    await setClusterStream(client, false);
    const isOn = await isClusterStreamOn(client);
    checks.push(
      check("change streams off", !isOn, {
        expected: "$listChangeStreams not to show the cluster",
        got: isOn ? "still shown" : "not shown",
        wayOut: "run failback-abort again",
      }),
    );
  } catch (error) {
    throw failure(error, "disable change streams");
  }
  return { checks, data: { returned } };
};

async function nothingWritten(context: ActionContext): Promise<Check> {
  const { service, failback, databases } = context;
  if (await service.store.head(failback.keys.captureStopped)) {
    return passed("nothing was written", "only Roundtrip's own signals in the log", "seen by an earlier run");
  }
  const { active } = await service.units.state(unit);
  if (active !== "active") {
    return check("nothing was written", false, {
      expected: `${unit} active, so that the log can show it`,
      got: active,
      wayOut: "start replication.service (start-service) and run failback-abort again",
    });
  }
  const server = await databases.open("documentdb");
  const { fence } = await raiseFence(await fenceDependencies(service, server, failback.scope, false));
  const deadline = AbortSignal.timeout(sentinelMsMax);
  const signal = AbortSignal.any([deadline, service.signal]);
  const { store, clock } = service;
  for await (const { manifest } of followManifests({ store, failbackId: failback.id, clock, signal })) {
    const written = manifest.objects.find(({ kind }) => kind === "scope");
    if (written) {
      return check("nothing was written", false, {
        expected: "only Roundtrip's own signals in the log",
        got: `${written.events} event(s) of ${written.database}.${written.collection} in manifest ${manifest.number}`,
        wayOut:
          "what was written must be carried back: failback-restore when MongoDB answers, failback-reopen until then",
      });
    }
    if (manifest.signals.some(({ id }) => id === fence.sentinelId)) {
      return passed(
        "nothing was written",
        "only Roundtrip's own signals in the log",
        `through manifest ${manifest.number}`,
      );
    }
  }
  service.signal.throwIfAborted();
  throw new RoundtripError({
    kind: "unavailable",
    what: "see in the log that nothing was written",
    expected: `sentinel ${fence.sentinelId} in the log within ${sentinelMsMax / 1000} s`,
    got: "not there yet",
    wayOut: "see `roundtrip logs replication`, then run failback-abort again",
  });
}
