import { connect, subjectOf } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import type { Account } from "../../core/credentials/accounts.ts";
import type { SecretFields } from "../../core/credentials/secret-fields.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ServiceContext } from "../runtime/definition.ts";

const acceptedSecondsMax = 15;
const tryEveryMs = 250;
const selectionTimeoutMs = 5_000;

/**
 * Logs in to DocumentDB with a secret's fields, as DMS does: SCRAM-SHA-1, the mechanism DocumentDB has. A secret
 * without an address takes the operator's. Gives `refused` for credentials the server doesn't accept; every other failure
 * is thrown.
 */
export async function tryLogin(
  service: ServiceContext,
  account: Account,
  fields: SecretFields,
): Promise<"accepted" | "refused"> {
  const whole = Boolean(fields.uri || fields.host);
  const address = whole ? fields : await service.secrets.get(service.environment.documentdb.secret);
  const settings = { server: "DocumentDB", secretName: account.secret } as const;
  const { username = "", password = "" } = fields;
  try {
    const client = await connect(address, {
      ...settings,
      appName: "roundtrip-login",
      serverSelectionTimeoutMs: selectionTimeoutMs,
      connectionsMax: 1,
      driver: {
        authMechanism: "SCRAM-SHA-1",
        ...(whole ? {} : { auth: { username, password }, authSource: address.authSource || "admin" }),
      },
    });
    try {
      await client.db("admin").command({ ping: 1 });
    } finally {
      await client.close();
    }
    return "accepted";
  } catch (error) {
    const failure = mongoFailure(error, subjectOf(address, settings, "log in"));
    if (failure.kind === "denied") return "refused";
    throw failure;
  }
}

/** Logs in until the server accepts, for a few seconds. Fails `denied` naming the secret when it never does. */
export async function proveLogin(
  service: ServiceContext,
  account: Account,
  fields: SecretFields,
): Promise<number> {
  const started = service.clock.monotonicMs();
  for (;;) {
    const answer = await tryLogin(service, account, fields);
    const ms = Math.round(service.clock.monotonicMs() - started);
    if (answer === "accepted") return ms;
    if (ms > acceptedSecondsMax * 1000) break;
    await service.clock.sleep(tryEveryMs, service.signal);
  }
  throw new RoundtripError({
    kind: "denied",
    what: `log in to DocumentDB with the new version of secret ${account.secret}`,
    expected: `the login accepted within ${acceptedSecondsMax} s`,
    got: "refused",
    wayOut:
      "see who else changes this user; nothing uses the new credentials yet, running the same thing again tries anew",
  });
}
