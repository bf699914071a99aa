/** What survives a restart: the port, the enabled scopes, the settings and how far history was expired. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defaultSettings, type Settings } from "./settings.ts";
import type { Scope } from "./streams/scopes.ts";

interface Persisted {
  port: number;
  readerPorts: number[];
  scopes: Scope[];
  settings: Settings;
  /** Actions only DocumentDB has, which its custom roles grant; the database behind can't hold them. */
  roleActions: Record<string, string[]>;
  /** History up to this cluster time is gone; decimal text of the 64 bits. */
  expiredBefore: string;
}

export class State {
  #data: Persisted;
  readonly #file: string;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#file = join(directory, "state.json");
    this.#data = {
      port: 0,
      readerPorts: [],
      scopes: [],
      settings: defaultSettings,
      roleActions: {},
      expiredBefore: "0",
    };
    let text: string;
    try {
      text = readFileSync(this.#file, "utf8");
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
      throw cause;
    }
    const read = JSON.parse(text) as Partial<Persisted>;
    this.#data = { ...this.#data, ...read, settings: { ...defaultSettings, ...read.settings } };
  }

  get port(): number {
    return this.#data.port;
  }
  get readerPorts(): readonly number[] {
    return this.#data.readerPorts;
  }
  get scopes(): readonly Scope[] {
    return this.#data.scopes;
  }
  get settings(): Settings {
    return this.#data.settings;
  }
  get roleActions(): Readonly<Record<string, readonly string[]>> {
    return this.#data.roleActions;
  }
  get expiredBefore(): bigint {
    return BigInt(this.#data.expiredBefore);
  }

  /** Written to disk before it is acknowledged. */
  update(change: {
    port?: number;
    readerPorts?: number[];
    scopes?: Scope[];
    settings?: Settings;
    roleActions?: Record<string, string[]>;
    expiredBefore?: bigint;
  }): void {
    const { expiredBefore, ...rest } = change;
    this.#data = {
      ...this.#data,
      ...rest,
      ...(expiredBefore === undefined ? {} : { expiredBefore: String(expiredBefore) }),
    };
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.#data));
    renameSync(`${this.#file}.new`, this.#file);
  }
}
