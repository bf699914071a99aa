/** Whose credentials are renewed, and what is kept of it. */
import { RoundtripError } from "../errors.ts";
import type { Environment, NamedUser } from "../failback/documents.ts";

export const rotationChanges = ["user-and-password", "password"] as const;
export type RotationChange = (typeof rotationChanges)[number];

/** `replication` is the user DMS writes with; `application:NAME` an application user of the environment. */
export const accountPattern = "^(replication|application:[A-Za-z0-9][A-Za-z0-9_.-]{0,62})$";
export const usernamePattern = "^(-|[A-Za-z][A-Za-z0-9_-]{0,62})$";

/** A user of DocumentDB whose secret Roundtrip may rewrite. */
export interface Account extends NamedUser {
  /** As it was asked for. */
  readonly account: string;
  readonly isReplication: boolean;
}

/** The account of that name. Fails `usage` naming those the environment has. */
export function accountOf(environment: Environment, account: string): Account {
  const { replicationUser, applicationUsers } = environment.documentdb;
  if (account === "replication") return { ...replicationUser, account, isReplication: true };
  const name = account.replace(/^application:/, "");
  const found = applicationUsers.find((user) => user.name === name);
  if (found && account.startsWith("application:")) return { ...found, account, isReplication: false };
  throw new RoundtripError({
    kind: "usage",
    what: `find the account ${account}`,
    expected: ["replication", ...applicationUsers.map((user) => `application:${user.name}`)].join(", "),
    got: account,
    wayOut: "name one of these; a user that is missing is added to the environment by Terraform",
  });
}

/** `credentials/<account>.json`: the last promotion, for the removal of the old user and for auditors. */
export interface PromotionRecord {
  readonly version: 1;
  readonly account: string;
  readonly secret: string;
  readonly versionId: string;
  readonly username: string;
  /** The user of the version before; the same one when only the password changed. */
  readonly previousUsername: string;
  /** The user that still stands beside it, until it is removed; kept over renewals of the password alone. */
  readonly oldUsername?: string;
  readonly operationId: string;
  readonly promotedAt: string;
  /** When the old user was removed, by the step of that name. */
  readonly removedAt?: string;
}

export function promotionKey(account: string): string {
  return `credentials/${account.replace(":", "/")}.json`;
}
