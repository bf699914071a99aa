import { RolesStore } from "../../adapters/state/roles-store.ts";
import { returnRoles } from "../access/return-roles.ts";
import { type Action, passed } from "./action.ts";

/** DMS's user and the other writers get their old roles on DocumentDB back; application users only when asked. */
export const run: Action = async ({ service, failback, databases, parameter }) => {
  const { access } = await databases.open("documentdb");
  const applications = new Set(failback.scope.applicationUsers.map(({ name }) => name));
  const all = parameter("application-users") === "true";
  const returned = await returnRoles({
    access,
    roles: new RolesStore(service.store, failback.id),
    failbackId: failback.id,
    logger: service.logger,
    wanted: (user) => all || !applications.has(user),
  });
  return {
    checks: [
      passed("old roles given back", failback.keys.roles, returned.join(", ") || "nobody had been demoted"),
      passed("application users on DocumentDB", all ? "their old roles" : "stay read-only"),
    ],
    data: { returned },
  };
};
