import type { Database } from "bun:sqlite";
import type { EventInvokeConfig } from "./asynchronous.ts";

/** A function as it is kept. `settings` are the fields of its configuration that are stored and given back. */
export interface LambdaFunction {
  readonly name: string;
  readonly root: string;
  readonly codeSha256: string;
  readonly codeSize: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly created: number;
  readonly updated: number;
  readonly revision: string;
}

interface Row extends Omit<LambdaFunction, "settings" | "tags"> {
  readonly settings: string;
  readonly tags: string;
}

function fromRow(row: Row): LambdaFunction {
  return {
    ...row,
    settings: JSON.parse(row.settings) as Record<string, unknown>,
    tags: JSON.parse(row.tags) as Record<string, string>,
  };
}

export class FunctionStore {
  constructor(private readonly db: Database) {
    db.run("CREATE TABLE IF NOT EXISTS lambda_event_configs (name TEXT PRIMARY KEY, config TEXT)");
    db.run(`CREATE TABLE IF NOT EXISTS lambda_functions (name TEXT PRIMARY KEY, root TEXT, codeSha256 TEXT, codeSize INTEGER,
      settings TEXT, tags TEXT, created INTEGER, updated INTEGER, revision TEXT)`);
  }

  find(name: string): LambdaFunction | undefined {
    const row = this.db.query<Row, [string]>("SELECT * FROM lambda_functions WHERE name = ?").get(name);
    return row === null ? undefined : fromRow(row);
  }

  all(): LambdaFunction[] {
    return this.db.query<Row, []>("SELECT * FROM lambda_functions ORDER BY name").all().map(fromRow);
  }

  save(next: LambdaFunction): void {
    const { name, root, codeSha256, codeSize, settings, tags, created, updated, revision } = next;
    this.db
      .query("INSERT OR REPLACE INTO lambda_functions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        name,
        root,
        codeSha256,
        codeSize,
        JSON.stringify(settings),
        JSON.stringify(tags),
        created,
        updated,
        revision,
      );
  }

  remove(name: string): void {
    this.db.run("DELETE FROM lambda_functions WHERE name = ?", [name]);
    this.removeEventConfig(name);
  }

  eventConfig(name: string): EventInvokeConfig | undefined {
    const row = this.db
      .query<{ config: string }, [string]>("SELECT config FROM lambda_event_configs WHERE name = ?")
      .get(name);
    return row === null ? undefined : (JSON.parse(row.config) as EventInvokeConfig);
  }

  saveEventConfig(name: string, config: EventInvokeConfig): void {
    this.db.run("INSERT OR REPLACE INTO lambda_event_configs VALUES (?, ?)", [name, JSON.stringify(config)]);
  }

  removeEventConfig(name: string): void {
    this.db.run("DELETE FROM lambda_event_configs WHERE name = ?", [name]);
  }
}
