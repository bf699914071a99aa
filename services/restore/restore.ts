import type { Fence } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";
import type { OpenFailback, ServiceContext } from "../runtime/definition.ts";

/** What every part of a restore is given. */
export interface Restore {
  readonly service: ServiceContext;
  readonly failback: OpenFailback;
  readonly mongodb: Server;
  readonly documentdb: Server;
  readonly fence: Fence;
  /** `<database>.<collection>` of the scope. */
  readonly namespaces: readonly string[];
}
