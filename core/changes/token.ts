import { deserialize, EJSON, serialize } from "bson";

/** Canonical extended JSON of a raw BSON document: what a manifest holds of a resume token. */
export function extendedJsonOf(document: Uint8Array): unknown {
  return EJSON.serialize(deserialize(document, { promoteValues: false, validation: { utf8: false } }), {
    relaxed: false,
  });
}

/** The raw BSON again. */
export function documentOfExtendedJson(value: unknown): Uint8Array {
  return serialize(EJSON.deserialize(value as Record<string, unknown>, { relaxed: false }));
}

/** Canonical extended JSON text of one value; `undefined` when the library can't read it. */
export function idText(type: number, bytes: Uint8Array): string | undefined {
  // {v: <value>}: length, type, "v\0", value, 0
  const document = new Uint8Array(bytes.length + 8);
  new DataView(document.buffer).setInt32(0, document.length, true);
  document[4] = type;
  document[5] = 0x76;
  document.set(bytes, 7);
  try {
    const { v } = extendedJsonOf(document) as { v: unknown };
    return JSON.stringify(v);
  } catch {
    return undefined;
  }
}
