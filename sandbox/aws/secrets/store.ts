import type { Database } from "bun:sqlite";

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly description: string | null;
  readonly kmsKeyId: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly policy: string | null;
  readonly created: number;
  readonly changed: number;
  readonly accessed: number | null;
  /** When the recovery window ends, in milliseconds since 1970; null while not marked for deletion. */
  readonly deletion: number | null;
  readonly deleted: number | null;
}

export interface SecretVersion {
  readonly id: string;
  readonly text: string | null;
  readonly binary: string | null;
  readonly stages: readonly string[];
  readonly created: number;
}

type Row<Type, Json extends keyof Type> = Omit<Type, Json> & Record<Json, string>;

/** Secrets and their versions, in sqlite. */
export class SecretStore {
  constructor(private readonly db: Database) {
    db.run(`CREATE TABLE IF NOT EXISTS secrets (arn TEXT PRIMARY KEY, name TEXT UNIQUE, description TEXT, kmsKeyId TEXT,
      tags TEXT, policy TEXT, created INTEGER, changed INTEGER, accessed INTEGER, deletion INTEGER, deleted INTEGER)`);
    db.run(`CREATE TABLE IF NOT EXISTS secret_versions (arn TEXT, id TEXT, text TEXT, binary TEXT, stages TEXT,
      created INTEGER, PRIMARY KEY (arn, id))`);
  }

  /** By name, ARN, or ARN without its six random characters. One whose recovery window has ended is gone. */
  find(id: string, now: number): Secret | undefined {
    const row = this.db
      .query<Row<Secret, "tags">, [string, string, string]>(
        "SELECT * FROM secrets WHERE name = ? OR arn = ? OR (arn LIKE 'arn:%' AND substr(arn, 1, length(arn) - 7) = ?)",
      )
      .get(id, id, id);
    if (row === null) return undefined;
    if (row.deletion !== null && row.deletion <= now) {
      this.remove(row.arn);
      return undefined;
    }
    return { ...row, tags: JSON.parse(row.tags) as Record<string, string> };
  }

  all(now: number): Secret[] {
    const arns = this.db.query<{ arn: string }, []>("SELECT arn FROM secrets ORDER BY created, name").all();
    return arns.flatMap(({ arn }) => this.find(arn, now) ?? []);
  }

  save(secret: Secret): void {
    const { arn, name, description, kmsKeyId, tags, policy, created, changed, accessed, deletion, deleted } =
      secret;
    this.db
      .query("INSERT OR REPLACE INTO secrets VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        arn,
        name,
        description,
        kmsKeyId,
        JSON.stringify(tags),
        policy,
        created,
        changed,
        accessed,
        deletion,
        deleted,
      );
  }

  remove(arn: string): void {
    this.db.run("DELETE FROM secret_versions WHERE arn = ?", [arn]);
    this.db.run("DELETE FROM secrets WHERE arn = ?", [arn]);
  }

  versions(arn: string): SecretVersion[] {
    return this.db
      .query<Row<SecretVersion, "stages">, [string]>(
        "SELECT id, text, binary, stages, created FROM secret_versions WHERE arn = ? ORDER BY created, id",
      )
      .all(arn)
      .map((row) => ({ ...row, stages: JSON.parse(row.stages) as string[] }));
  }

  saveVersion(arn: string, version: SecretVersion): void {
    this.db
      .query("INSERT OR REPLACE INTO secret_versions VALUES (?, ?, ?, ?, ?, ?)")
      .run(arn, version.id, version.text, version.binary, JSON.stringify(version.stages), version.created);
  }

  atomically<Result>(change: () => Result): Result {
    return this.db.transaction(change)();
  }
}
