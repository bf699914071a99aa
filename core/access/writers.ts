import type { CustomRole, Principal, RoleReference } from "./principal.ts";
import { writingRoles } from "./write-access.ts";

export interface Writer {
  readonly principal: Principal;
  /** The roles through which it can write in scope. */
  readonly through: readonly RoleReference[];
}

export interface WriterSurvey {
  /** Listed and able to write: to be demoted. */
  readonly listed: readonly Writer[];
  /** Able to write and named by nobody: the start stops at them (invariants.md 1). */
  readonly unlisted: readonly Writer[];
  /** Allowed to keep their rights. */
  readonly administrators: readonly Writer[];
  /** Listed names that no user carries. */
  readonly missing: readonly string[];
}

/** Sorts every principal that can write in scope by who is allowed to know of it. */
export function surveyWriters(options: {
  readonly principals: readonly Principal[];
  readonly customRoles: readonly CustomRole[];
  readonly databases: readonly string[];
  readonly listed: readonly string[];
  readonly administrators: readonly string[];
}): WriterSurvey {
  const listed: Writer[] = [];
  const unlisted: Writer[] = [];
  const administrators: Writer[] = [];
  for (const principal of options.principals) {
    const through = writingRoles(principal, options.customRoles, options.databases);
    if (through.length === 0) continue;
    const writer = { principal, through };
    // Listed wins: a user named as application user is demoted even when it is also called administrator.
    if (options.listed.includes(principal.user)) listed.push(writer);
    else if (options.administrators.includes(principal.user)) administrators.push(writer);
    else unlisted.push(writer);
  }
  const present = new Set(options.principals.map((principal) => principal.user));
  return {
    listed,
    unlisted,
    administrators,
    missing: options.listed.filter((name) => !present.has(name)),
  };
}

/** `root@admin, readWrite@shop`: for messages. */
export function rolesInWords(roles: readonly RoleReference[]): string {
  return roles.length === 0 ? "no role" : roles.map((role) => `${role.role}@${role.db}`).join(", ");
}
