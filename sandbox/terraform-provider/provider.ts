/** One provider: its schemas, its types, and what it was configured with. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Context, DataSource, Resource } from "./resource.ts";
import type { Schema, Value, Values } from "./values.ts";

export interface Schemas {
  readonly address: string;
  readonly version: string;
  readonly provider: Schema;
  readonly resources: Readonly<Record<string, Schema>>;
  readonly dataSources: Readonly<Record<string, Schema>>;
}

export const providerNames = [
  ...["aws", "random", "archive", "null", "time", "tls", "local", "external", "cloudinit"],
] as const;
export type ProviderName = (typeof providerNames)[number];

export function readSchemas(name: ProviderName): Schemas {
  return JSON.parse(readFileSync(join(import.meta.dirname, "schemas", `${name}.json`), "utf8")) as Schemas;
}

/** A value that lives for one run of Terraform and is in no plan and no state. */
export interface EphemeralResource {
  readonly schema: Schema;
  open(config: Values, setup: Setup): Promise<Values>;
}

export type Setup = Omit<Context, "block" | "type">;

export interface Provider {
  readonly schemas: Schemas;
  /** Undefined: the type has a schema and nothing behind it. */
  resource(type: string): Resource | undefined;
  dataSource(type: string): DataSource | undefined;
  readonly ephemeralResources?: Readonly<Record<string, EphemeralResource>>;
  /** Takes the provider's configuration. Throws with a sentence when it can't work with it. */
  configure(config: Values): Setup;
  /** Attributes every type of this provider has. */
  common?(planned: Values, setup: Setup): Readonly<Record<string, Value>>;
  readonly commonForceNew?: readonly string[];
}
