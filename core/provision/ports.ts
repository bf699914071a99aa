import type { Provisioned, ProvisionStep } from "./model.ts";

/** DocumentDB as the lambda sees it: the master's connection, and logins of the DMS user. */
export interface ProvisionCluster extends AsyncDisposable {
  /** The user the connection is authenticated as. */
  masterUser(): Promise<string>;
  /** Every database's name, the collections of those asked for, and the users of these names that exist. */
  read(
    databases: readonly string[],
    users: readonly string[],
  ): Promise<Omit<Provisioned, "passwordAccepted">>;
  /** Whether a login with these credentials is accepted. Fails `unavailable` when the cluster does not answer. */
  accepts(user: string, password: string): Promise<boolean>;
  /** Does one step; what another run has done meanwhile counts as done. `password` is the DMS user's. */
  apply(step: ProvisionStep, password: string): Promise<void>;
}
