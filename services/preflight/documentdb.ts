import { isClusterStreamOn } from "../../adapters/mongo/change-stream-scopes.ts";
import type { RoleReference } from "../../core/access/principal.ts";
import type { DocumentdbFacts } from "../../core/preflight/model.ts";
import type { ActionContext } from "../actions/action.ts";
import { fact, selectionMsMax, tell } from "./fact.ts";

/** What DocumentDB shows of itself and of its users. Fails as the connection does. */
export async function readDocumentdb({ databases }: ActionContext): Promise<DocumentdbFacts> {
  const server = await databases.open("documentdb", { serverSelectionTimeoutMs: selectionMsMax });
  const { version } = await server.command("admin", { buildInfo: 1 }, "ask for the version");
  const { authInfo } = await server.command(
    "admin",
    { connectionStatus: 1 },
    "read the roles of Roundtrip's user",
  );
  const roles = (authInfo.authenticatedUserRoles ?? []) as RoleReference[];
  return {
    version: String(version),
    tls: server.client.options.tls === true,
    roles: roles.map(({ role, db }) => ({ role, db })),
    streams: await fact(() =>
      tell(server, "list change streams", async () =>
        (await isClusterStreamOn(server.client)) ? "on" : "off",
      ),
    ),
    users: await fact(async () => (await server.access.principals()).map(({ user }) => user).sort()),
  };
}
