import { hasUserWriteBlock } from "../../adapters/mongo/write-block.ts";
import type { Privilege } from "../../core/access/principal.ts";
import { missingPrivileges, requiredPrivileges } from "../../core/access/required-privileges.ts";
import type { Check } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";
import { check, passed } from "./action.ts";

export const privilegesName = "privileges of Roundtrip's user on MongoDB";
export const expectedPrivileges = "to dump, close, apply and reopen";

/** Whether Roundtrip's user on MongoDB may do all a failback does there. Fails as the server does. */
export async function privilegeChecks(server: Server, databases: readonly string[]): Promise<Check[]> {
  const shown = await server.command(
    "admin",
    { connectionStatus: 1, showPrivileges: true },
    "read privileges",
  );
  const held = shown.authInfo.authenticatedUserPrivileges as Privilege[];
  const blocks = await hasUserWriteBlock(server.client);
  const missing = missingPrivileges(held, requiredPrivileges(databases, blocks));
  if (missing.length === 0) return [passed(privilegesName, expectedPrivileges, "all there")];
  return [
    check(privilegesName, false, {
      expected: expectedPrivileges,
      got: `missing: ${missing.join(", ")}`,
      wayOut:
        "grant the user the roles backup, restore, clusterManager, clusterMonitor, hostManager, userAdminAnyDatabase and readWriteAnyDatabase on admin",
    }),
  ];
}
