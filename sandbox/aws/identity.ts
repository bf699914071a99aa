import type { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { AwsError } from "./service.ts";

/** The key pair that exists from the start; a principal of the account's administrator. */
export const defaultCredentials = {
  accessKeyId: "AKIAROUNDTRIPSANDBOX",
  secretAccessKey: "sandbox/secret/of/the/default/key/pair",
} as const;

/** An access key as the stand-in knows it. `expires` is in milliseconds since 1970; only temporary keys have one. */
export interface Credential {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
  readonly arn: string;
  readonly userId: string;
  readonly expires: number | null;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** An identifier in AWS's form: `prefix` and 16 characters of A–Z and 2–7. */
function uniqueId(prefix: string): string {
  return prefix + Array.from(randomBytes(16), (byte) => alphabet[byte & 31]).join("");
}

/** The access keys of the stand-in's one account; kept in sqlite. */
export class Identities {
  private readonly cache = new Map<string, Credential>();

  constructor(
    private readonly db: Database,
    private readonly account: string,
  ) {
    db.run(`CREATE TABLE IF NOT EXISTS access_keys (
      accessKeyId TEXT PRIMARY KEY, secretAccessKey TEXT NOT NULL, sessionToken TEXT,
      arn TEXT NOT NULL, userId TEXT NOT NULL, expires INTEGER)`);
    if (this.find(defaultCredentials.accessKeyId) === undefined) {
      this.store({
        ...defaultCredentials,
        sessionToken: null,
        arn: `arn:aws:iam::${account}:user/sandbox`,
        userId: uniqueId("AIDA"),
        expires: null,
      });
    }
  }

  find(accessKeyId: string): Credential | undefined {
    const cached = this.cache.get(accessKeyId);
    if (cached !== undefined) return cached;
    const row = this.db
      .query<Credential, [string]>("SELECT * FROM access_keys WHERE accessKeyId = ?")
      .get(accessKeyId);
    if (row === null) return undefined;
    this.cache.set(accessKeyId, row);
    return row;
  }

  list(): Credential[] {
    return this.db.query<Credential, []>("SELECT * FROM access_keys ORDER BY accessKeyId").all();
  }

  /** A long-lived key of an IAM user; generated where not given. */
  createUserKey(user: string, accessKeyId?: string, secretAccessKey?: string): Credential {
    return this.store({
      accessKeyId: accessKeyId ?? uniqueId("AKIA"),
      secretAccessKey: secretAccessKey ?? randomBytes(30).toString("base64"),
      sessionToken: null,
      arn: `arn:aws:iam::${this.account}:user/${user}`,
      userId: uniqueId("AIDA"),
      expires: null,
    });
  }

  /** Temporary keys of a role's session, as AssumeRole and an instance profile give them. */
  createSession(roleArn: string, sessionName: string, expires: number): Credential {
    const role = /^arn:aws:iam::(\d+):role\/(.+)$/.exec(roleArn);
    if (role === null) {
      throw new AwsError(
        "ValidationError",
        `expected a role ARN (arn:aws:iam::<account>:role/<name>), got ${roleArn}`,
      );
    }
    const name = role[2]!.slice(role[2]!.lastIndexOf("/") + 1);
    return this.store({
      accessKeyId: uniqueId("ASIA"),
      secretAccessKey: randomBytes(30).toString("base64"),
      sessionToken: randomBytes(96).toString("base64"),
      arn: `arn:aws:sts::${role[1]}:assumed-role/${name}/${sessionName}`,
      userId: `${uniqueId("AROA")}:${sessionName}`,
      expires,
    });
  }

  remove(accessKeyId: string): boolean {
    this.cache.delete(accessKeyId);
    return this.db.run("DELETE FROM access_keys WHERE accessKeyId = ?", [accessKeyId]).changes > 0;
  }

  private store(credential: Credential): Credential {
    this.cache.delete(credential.accessKeyId);
    this.db.run("INSERT OR REPLACE INTO access_keys VALUES (?, ?, ?, ?, ?, ?)", [
      credential.accessKeyId,
      credential.secretAccessKey,
      credential.sessionToken,
      credential.arn,
      credential.userId,
      credential.expires,
    ]);
    return credential;
  }
}
