import type { Database } from "bun:sqlite";
import { AwsError } from "../service.ts";

/** Knobs of a service, kept in the database; `/_sandbox/<area>` reads and sets them. */
export class Settings<T extends Readonly<Record<string, number | boolean | string>>> {
  constructor(
    readonly db: Database,
    readonly area: string,
    readonly defaults: T,
  ) {
    db.run("CREATE TABLE IF NOT EXISTS sandbox_settings (area TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT");
  }

  get(): T {
    const row = this.db
      .query<{ value: string }, [string]>("SELECT value FROM sandbox_settings WHERE area = ?")
      .get(this.area);
    return { ...this.defaults, ...(row ? (JSON.parse(row.value) as Partial<T>) : {}) };
  }

  /** Sets some of them; a name that isn't there or a value of another type is refused. */
  set(changes: Readonly<Record<string, unknown>>): T {
    for (const [name, value] of Object.entries(changes)) {
      const expected = typeof this.defaults[name];
      if (expected === "undefined")
        throw new AwsError(
          "ValidationException",
          `no setting ${name}; there are ${Object.keys(this.defaults).join(", ")}`,
        );
      if (typeof value !== expected)
        throw new AwsError(
          "ValidationException",
          `${name}: expected a ${expected}, got ${JSON.stringify(value)}`,
        );
    }
    const next = { ...this.get(), ...changes };
    this.db.run("INSERT OR REPLACE INTO sandbox_settings (area, value) VALUES (?, ?)", [
      this.area,
      JSON.stringify(next),
    ]);
    return next as T;
  }

  /** Answers GET and POST of the control route. */
  async handle(request: Request): Promise<T> {
    return request.method === "GET"
      ? this.get()
      : this.set((await request.json()) as Record<string, unknown>);
  }
}
