/** A role by name, as `usersInfo` shows it. On DocumentDB every user and custom role lives in `admin`. */
export interface RoleReference {
  readonly role: string;
  readonly db: string;
}

export interface PrivilegeResource {
  readonly db?: string;
  readonly collection?: string;
  readonly cluster?: boolean;
  readonly anyResource?: boolean;
}

export interface Privilege {
  readonly resource: PrivilegeResource;
  readonly actions: readonly string[];
}

/** A custom role as `rolesInfo` shows it; without `privileges` the server did not tell. */
export interface CustomRole extends RoleReference {
  readonly roles: readonly RoleReference[];
  readonly privileges?: readonly Privilege[];
}

export interface Principal {
  readonly user: string;
  /** Database the user lives in and authenticates against. */
  readonly db: string;
  readonly roles: readonly RoleReference[];
}
