/**
 * What the create-user-db lambda is asked and answers: databases and collections of `tasks.yaml` on DocumentDB, and the
 * user DMS writes with. The contracts are schemas/provision-request.schema.json and provision-response.schema.json.
 */

export interface DeclaredCollection {
  readonly name: string;
  readonly renamedFrom?: string;
}

export interface DeclaredDatabase {
  readonly name: string;
  /** A name alone is `{name}`. */
  readonly collections: readonly (string | DeclaredCollection)[];
}

/** Called directly, or by Terraform's `aws_lambda_invocation`, which adds `tf` (lifecycle_scope CRUD). */
export interface ProvisionRequest {
  readonly version: 1;
  /** Must be the function's own environment: a request can't make prod drop by calling itself dev. */
  readonly environment: string;
  /** All that is declared now. */
  readonly databases: readonly DeclaredDatabase[];
  /**
   * What was declared before: only what stands here, and no longer in `databases`, is removed. Absent: nothing is
   * removed. Terraform sends it as `tf.prev_input`.
   */
  readonly previous?: readonly DeclaredDatabase[];
  /** Former names of the DMS user, dropped by name once nothing uses them any more. */
  readonly retiredUsers?: readonly string[];
  /** Nothing is read of it; Terraform calls again when it changes (the version of the user's secret). */
  readonly trigger?: string;
  /** Gives what would be done, and does nothing. */
  readonly dryRun?: boolean;
  readonly tf?: {
    readonly action: "create" | "update" | "delete";
    /** The input of the call before; none on create. */
    readonly prev_input?: Pick<ProvisionRequest, "version" | "databases"> | null;
  };
}

export interface RoleOnDatabase {
  readonly role: string;
  readonly db: string;
}

/** One thing that was looked at. */
export interface ProvisionItem {
  readonly kind: "user" | "database" | "collection";
  /** The user's name, the database's, or `database.collection`. */
  readonly name: string;
  /** What about it, where the list it stands in doesn't say it all. */
  readonly note?: string;
}

/** With `dryRun` the lists say what would be done. */
export interface ProvisionResponse {
  readonly version: 1;
  readonly environment: string;
  readonly dryRun: boolean;
  readonly created: readonly ProvisionItem[];
  readonly updated: readonly ProvisionItem[];
  readonly dropped: readonly ProvisionItem[];
  /** No longer declared, and not dropped: why is in the note. */
  readonly kept: readonly ProvisionItem[];
  readonly unchanged: readonly ProvisionItem[];
}

/** What is wanted, once a request has been read. */
export interface Declared {
  readonly environment: string;
  readonly databases: readonly {
    readonly name: string;
    readonly collections: readonly DeclaredCollection[];
  }[];
  /** Absent: unknown, so nothing counts as removed. */
  readonly previous?: readonly { readonly name: string; readonly collections: readonly string[] }[];
  /** The user of the secret; `remove` when Terraform destroys the environment. */
  readonly user: { readonly name: string; readonly want: "present" | "removed" };
  readonly retiredUsers: readonly string[];
}

/** What stands on the cluster, of the databases and users that matter. */
export interface Provisioned {
  /** Every database by its name, with the collections of those that were asked for. */
  readonly databases: ReadonlyMap<string, ReadonlySet<string>>;
  readonly users: ReadonlyMap<string, readonly RoleOnDatabase[]>;
  /** Whether the cluster accepts the secret's password for the user; false as well when there is no such user. */
  readonly passwordAccepted: boolean;
}

/** One change of the cluster, in the order they are done: nothing is dropped before everything else stands. */
export type ProvisionStep =
  | { readonly do: "create-user"; readonly user: string; readonly roles: readonly RoleOnDatabase[] }
  | {
      readonly do: "update-user";
      readonly user: string;
      readonly roles?: readonly RoleOnDatabase[];
      readonly password: boolean;
    }
  | {
      readonly do: "rename-collection";
      readonly database: string;
      readonly from: string;
      readonly to: string;
    }
  | {
      readonly do: "create-collection";
      readonly database: string;
      readonly collection: string;
      readonly createsDatabase: boolean;
    }
  | { readonly do: "drop-collection"; readonly database: string; readonly collection: string }
  | { readonly do: "drop-database"; readonly database: string; readonly collections: readonly string[] }
  | { readonly do: "drop-user"; readonly user: string };

export interface ProvisionDifference {
  readonly steps: readonly ProvisionStep[];
  readonly kept: readonly ProvisionItem[];
  readonly unchanged: readonly ProvisionItem[];
}
