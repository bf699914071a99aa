import type { Principal } from "./principal.ts";

const administratorRoles = new Set(["root", "__system", "userAdminAnyDatabase", "clusterAdmin"]);

/** Users who run the server itself: they keep their roles, because somebody must be able to give roles back. */
export function isAdministrator(principal: Principal): boolean {
  return principal.roles.some(({ role, db }) => db === "admin" && administratorRoles.has(role));
}
