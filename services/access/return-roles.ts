import type { RolesStore } from "../../adapters/state/roles-store.ts";
import { writerRoleName } from "../../core/access/grant.ts";
import type { AccessControl } from "../../core/access/ports.ts";
import type { Logger } from "../../core/ports.ts";

/**
 * Gives users of DocumentDB the roles that `roles.json` says they had (invariants.md 25), and drops the failback's own
 * writer role once nobody holds it. Gives the names of the users that were changed.
 */
export async function returnRoles(options: {
  readonly access: AccessControl;
  readonly roles: RolesStore;
  readonly failbackId: string;
  readonly logger: Logger;
  /** Which of the recorded users. */
  readonly wanted: (user: string) => boolean;
}): Promise<string[]> {
  const { access, logger } = options;
  const recorded = (await options.roles.read()).users.filter(
    ({ side, user }) => side === "documentdb" && options.wanted(user),
  );
  const present = new Set((await access.principals()).map(({ user }) => user));
  const returned: string[] = [];
  for (const user of recorded) {
    if (!present.has(user.user)) {
      logger.warn({ user: user.user }, "user no longer exists: its roles are not given back");
      continue;
    }
    await access.setRoles(user, user.roles);
    returned.push(user.user);
  }
  const ownRole = writerRoleName(options.failbackId);
  const holders = (await access.principals()).filter(({ roles }) =>
    roles.some(({ role }) => role === ownRole),
  );
  if (holders.length === 0) await access.dropRole(ownRole);
  return returned;
}
