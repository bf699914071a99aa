/** Who a connection is, and what it may do at this moment. */
import type { Document } from "../engine/value.ts";
import { readById } from "../storage/internal.ts";
import type { Storage } from "../storage/storage.ts";
import { type Need, type Privilege, satisfies } from "./privilege.ts";
import { type RoleName, resolveRoles, roleNames, USERS } from "./roles.ts";

export interface Principal {
  readonly user: string;
  readonly db: string;
  readonly authenticatedAt: number;
  roles: RoleName[];
  privileges: Privilege[];
  /** The generation of users and roles these rights were read from. */
  generation: number;
}

/** Counts changes of users and roles, and how long sessions go on with what they had before. */
export class Authorization {
  private readonly storage: Storage;
  private generation = 1;
  /** When each generation ended, by its number. */
  private readonly endedAt: number[] = [];
  /**
   * Sessions authenticated before a change of rights keep their old ones for this long. The server re-reads at once;
   * for DocumentDB nobody promises it, so the stand-in can be told to take the worst reading.
   */
  staleMs = 0;

  constructor(storage: Storage) {
    this.storage = storage;
    storage.onPrincipalsChanged = () => this.changed();
  }

  changed(): void {
    this.endedAt[this.generation++] = Date.now();
  }

  findUser(db: string, user: string): Document | undefined {
    return readById(this.storage, USERS, `${db}.${user}`);
  }

  login(db: string, user: string): Principal {
    const principal: Principal = {
      user,
      db,
      authenticatedAt: Date.now(),
      roles: [],
      privileges: [],
      generation: 0,
    };
    this.refresh(principal);
    return principal;
  }

  private refresh(principal: Principal): void {
    const user = this.findUser(principal.db, principal.user);
    const resolved = resolveRoles(this.storage, roleNames(user?.get("roles")));
    principal.roles = resolved.roles;
    principal.privileges = resolved.privileges;
    principal.generation = this.generation;
  }

  /** Brings the rights up to date, unless the knob lets the session keep its old ones for now. */
  current(principal: Principal): Principal {
    if (principal.generation === this.generation) return principal;
    if (this.staleMs > 0 && Date.now() - this.endedAt[principal.generation]! < this.staleMs) return principal;
    this.refresh(principal);
    return principal;
  }

  allowed(principal: Principal | undefined, wanted: Need): boolean {
    return principal !== undefined && satisfies(this.current(principal).privileges, wanted);
  }
}
