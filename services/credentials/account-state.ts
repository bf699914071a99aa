import { type Account, accountOf, type RotationChange } from "../../core/credentials/accounts.ts";
import type { SecretVersion } from "../../core/credentials/ports.ts";
import {
  alternateName,
  type SecretFields,
  usernameOf,
  versionIdOf,
} from "../../core/credentials/secret-fields.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";

export interface LabelledSecret {
  readonly id: string;
  readonly fields: SecretFields;
  readonly username: string;
}

/** Where the renewal of an account's credentials stands, as its secret tells. */
export interface AccountState {
  readonly account: Account;
  /** The version this operation makes, whether it is there yet or not. */
  readonly versionId: string;
  readonly current: LabelledSecret;
  readonly previous: LabelledSecret | undefined;
  /** This operation's version, once it was made. */
  readonly mine: LabelledSecret | undefined;
  /** A version somebody else left under AWSPENDING. */
  readonly foreignPending: SecretVersion | undefined;
  readonly isPromoted: boolean;
}

/**
 * Reads the secret's versions. Fails `configuration` when the secret has no current version that names a user.
 * `operationId` is the rotation's; for an action that belongs to none it is "-".
 */
export async function readAccount(
  service: ServiceContext,
  name: string,
  operationId: string,
): Promise<AccountState> {
  const account = accountOf(service.environment, name);
  const versionId = versionIdOf(operationId, name);
  const versions = await service.secretVersions.list(account.secret);
  const labelled = (label: string) => versions.find(({ labels }) => labels.includes(label));
  const read = (version: SecretVersion | undefined) => readVersion(service, account, version);
  const current = labelled("AWSCURRENT");
  const pending = labelled("AWSPENDING");
  const found = await read(current);
  if (!current || !found) {
    throw new RoundtripError({
      kind: "configuration",
      what: `read the current version of secret ${account.secret}`,
      expected: "a version under AWSCURRENT with username and password, or uri",
      got: current ? "no username in it" : "no such version",
      wayOut: `write secret ${account.secret} with the fields docs/users-and-secrets.md names`,
    });
  }
  const foreign = pending && pending.id !== current.id && pending.id !== versionId ? pending : undefined;
  return {
    account,
    versionId,
    current: found,
    previous: await read(labelled("AWSPREVIOUS")),
    mine: await read(versions.find(({ id }) => id === versionId)),
    foreignPending: foreign,
    isPromoted: current.id === versionId,
  };
}

export async function readVersion(
  service: ServiceContext,
  account: Account,
  version: SecretVersion | undefined,
): Promise<LabelledSecret | undefined> {
  if (!version) return undefined;
  const fields = await service.secretVersions.read(account.secret, { id: version.id });
  const username = fields && usernameOf(fields);
  return fields && username ? { id: version.id, fields, username } : undefined;
}

/** The user the new credentials are for: the one asked for, the other one of two taking turns, or the same. */
export function targetUsername(state: AccountState, change: RotationChange, asked: string): string {
  if (state.mine) return state.mine.username;
  if (change === "password") return state.current.username;
  return asked === "-" ? alternateName(state.current.username) : asked;
}
