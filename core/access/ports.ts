import type { SecretLabel } from "../credentials/ports.ts";
import type { NamedUser } from "../failback/documents.ts";
import type { CustomRole, Principal, Privilege, RoleReference } from "./principal.ts";

/** An operation or open transaction of a user, as `currentOp` shows it. */
export interface RunningOperation {
  /** Absent for an idle transaction that the server gives no number: it can't be killed by one. */
  readonly id?: string | number;
  /** Empty when the server does not say whose it is. */
  readonly users: readonly string[];
  readonly namespace: string;
  readonly what: string;
  readonly inTransaction: boolean;
}

/** Users, roles and running operations of one server, through an administrator's connection. */
export interface AccessControl {
  principals(): Promise<Principal[]>;
  customRoles(): Promise<CustomRole[]>;
  /** Replaces the user's roles. */
  setRoles(user: Pick<Principal, "user" | "db">, roles: readonly RoleReference[]): Promise<void>;
  /** Creates the custom role in `admin`, or gives it exactly these privileges. */
  putRole(name: string, privileges: readonly Privilege[]): Promise<void>;
  dropRole(name: string): Promise<void>;
  /**
   * What these users run that could still write in one of the databases: their operations and open transactions,
   * and writes in these databases whose user the server does not name.
   */
  running(users: readonly string[], databases: readonly string[]): Promise<RunningOperation[]>;
  kill(operation: RunningOperation): Promise<void>;
}

/** One connection opened as a user, kept open to see when its rights end. */
export interface WriterConnection {
  /** Tries a write that changes nothing. Fails with RoundtripError when the answer says neither. */
  probe(): Promise<"allowed" | "refused">;
  close(): Promise<void>;
}

/** A user with the version of its secret that opens it; the current one when no label is given. */
export interface WriterLogin extends NamedUser {
  readonly label?: SecretLabel;
}

/** Opens `count` separate connections as the user, each with its own socket. */
export type OpenWriterConnections = (user: WriterLogin, count: number) => Promise<WriterConnection[]>;
