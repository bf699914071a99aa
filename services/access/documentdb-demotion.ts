import { writerConnections } from "../../adapters/mongo/writer-connection.ts";
import { RolesStore } from "../../adapters/state/roles-store.ts";
import type { AccessControl } from "../../core/access/ports.ts";
import type { Scope } from "../../core/failback/documents.ts";
import type { ServiceContext } from "../runtime/definition.ts";
import type { DemotionDependencies } from "./demote.ts";

/** What `demoteUsers` needs, from a service's context and an administrator's connection to DocumentDB. */
export function documentdbDemotion(
  service: ServiceContext,
  access: AccessControl,
  scope: Scope,
): DemotionDependencies {
  const operatorSecret = service.environment.documentdb.secret;
  return {
    access,
    openConnections: writerConnections({
      secrets: service.secrets,
      secretVersions: service.secretVersions,
      operatorSecret,
      scope,
    }),
    roles: new RolesStore(service.store, scope.failbackId),
    clock: service.clock,
    logger: service.logger,
    signal: service.signal,
    alive: service.alive,
  };
}
