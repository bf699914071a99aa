import { insertSignal } from "../../adapters/mongo/signals.ts";
import type { Scope } from "../../core/failback/documents.ts";
import { environmentNow } from "../access/current-users.ts";
import type { Server } from "../access/databases.ts";
import { documentdbDemotion } from "../access/documentdb-demotion.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { FenceDependencies } from "./raise-fence.ts";

/** What `raiseFence` needs, over Roundtrip's own connection to DocumentDB. */
export async function fenceDependencies(
  service: ServiceContext,
  { client, access, failure }: Server,
  scope: Scope,
  killOperations: boolean,
): Promise<FenceDependencies> {
  return {
    ...documentdbDemotion(service, access, scope),
    store: service.store,
    environment: await environmentNow(service),
    scope,
    killOperations,
    async writeSentinel(id) {
      const signal = {
        _id: id,
        kind: "sentinel",
        failbackId: scope.failbackId,
        at: service.clock.now(),
      } as const;
      await insertSignal(client, signal).catch((error) => {
        throw failure(error, "write the sentinel");
      });
    },
  };
}
