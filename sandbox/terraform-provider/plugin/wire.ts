/** Between the protocol's messages and values. */
import { decode, ExtensionCodec, encode } from "@msgpack/msgpack";
import { type Block, type Nesting, type Schema, unknown, type Value } from "../values.ts";

export interface DynamicValue {
  readonly msgpack?: Uint8Array;
  readonly json?: Uint8Array;
}

const codec = new ExtensionCodec();
// Any extension type is an unknown value; 0 is the plain one, 12 has hints about it that nothing here reads.
for (const type of [0, 12]) {
  codec.register({
    type,
    encode: (value) => (value === unknown && type === 0 ? new Uint8Array([0]) : null),
    decode: () => unknown,
  });
}

export function fromWire(message: DynamicValue | null | undefined): Value {
  if (message?.msgpack?.length) return decode(message.msgpack, { extensionCodec: codec }) as Value;
  if (message?.json?.length) return JSON.parse(Buffer.from(message.json).toString()) as Value;
  return null;
}

export function toWire(value: Value): DynamicValue {
  return { msgpack: encode(value, { extensionCodec: codec }) };
}

const nestingNames: Readonly<Record<Nesting, string>> = {
  single: "SINGLE",
  list: "LIST",
  set: "SET",
  map: "MAP",
};

function blockToWire(block: Block): object {
  return {
    attributes: Object.entries(block.attributes ?? {}).map(([name, { type, ...flags }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      ...flags,
    })),
    block_types: Object.entries(block.block_types ?? {}).map(([type_name, nested]) => ({
      type_name,
      block: blockToWire(nested.block),
      nesting: nestingNames[nested.nesting_mode],
      min_items: nested.min_items ?? 0,
      max_items: nested.max_items ?? 0,
    })),
  };
}

export function schemaToWire(schema: Schema): object {
  return { version: schema.version, block: blockToWire(schema.block) };
}

/** Names of attributes and positions in lists, from the outside in. */
export type Path = readonly (string | number)[];

export function pathToWire(path: Path): object {
  return {
    steps: path.map((step) =>
      typeof step === "number" ? { element_key_int: step } : { attribute_name: step },
    ),
  };
}

/** What is wrong, for a person: Terraform shows it with the place in the configuration. */
export interface Problem {
  readonly summary: string;
  readonly detail: string;
  readonly path?: Path;
  readonly warning?: boolean;
}

export function problemToWire({ summary, detail, path, warning }: Problem): object {
  return {
    severity: warning ? "WARNING" : "ERROR",
    summary,
    detail,
    ...(path ? { attribute: pathToWire(path) } : {}),
  };
}
