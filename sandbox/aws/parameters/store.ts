import type { Database } from "bun:sqlite";

/** One version of a parameter as it is kept. */
export interface ParameterVersion {
  readonly name: string;
  readonly version: number;
  readonly type: string;
  readonly value: string;
  readonly keyId: string | null;
  readonly description: string | null;
  readonly pattern: string | null;
  readonly tier: string;
  readonly dataType: string;
  readonly modified: number;
  readonly user: string;
}

const versionsMax = 100;

/** Parameters and their last 100 versions, in sqlite. */
export class ParameterStore {
  constructor(private readonly db: Database) {
    db.run(`CREATE TABLE IF NOT EXISTS parameters (name TEXT, version INTEGER, type TEXT, value TEXT, keyId TEXT,
      description TEXT, pattern TEXT, tier TEXT, dataType TEXT, modified INTEGER, user TEXT, PRIMARY KEY (name, version))`);
    db.run("CREATE TABLE IF NOT EXISTS ssm_tags (resource TEXT PRIMARY KEY, tags TEXT)");
  }

  latest(name: string): ParameterVersion | undefined {
    return (
      this.db
        .query<ParameterVersion, [string]>(
          "SELECT * FROM parameters WHERE name = ? ORDER BY version DESC LIMIT 1",
        )
        .get(name) ?? undefined
    );
  }

  versions(name: string): ParameterVersion[] {
    return this.db
      .query<ParameterVersion, [string]>("SELECT * FROM parameters WHERE name = ? ORDER BY version")
      .all(name);
  }

  /** Latest versions of all parameters, by name. */
  all(): ParameterVersion[] {
    return this.db
      .query<ParameterVersion, []>(
        "SELECT * FROM parameters AS p WHERE version = (SELECT max(version) FROM parameters WHERE name = p.name) ORDER BY name",
      )
      .all();
  }

  add(next: ParameterVersion): void {
    const { name, version, type, value, keyId, description, pattern, tier, dataType, modified, user } = next;
    this.db.transaction(() => {
      this.db
        .query("INSERT INTO parameters VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .run(name, version, type, value, keyId, description, pattern, tier, dataType, modified, user);
      this.db.run("DELETE FROM parameters WHERE name = ? AND version <= ?", [name, version - versionsMax]);
    })();
  }

  /** Gives whether there was one. */
  remove(name: string): boolean {
    this.db.run("DELETE FROM ssm_tags WHERE resource = ?", [`Parameter/${name}`]);
    return this.db.run("DELETE FROM parameters WHERE name = ?", [name]).changes > 0;
  }

  tags(resource: string): Record<string, string> {
    const row = this.db
      .query<{ tags: string }, [string]>("SELECT tags FROM ssm_tags WHERE resource = ?")
      .get(resource);
    return row === null ? {} : (JSON.parse(row.tags) as Record<string, string>);
  }

  setTags(resource: string, tags: Readonly<Record<string, string>>): void {
    this.db.run("INSERT OR REPLACE INTO ssm_tags VALUES (?, ?)", [resource, JSON.stringify(tags)]);
  }
}
