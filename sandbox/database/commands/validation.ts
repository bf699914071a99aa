/** Validators of collections: code 121 with the server's errInfo. */
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import { compileFilter, type Predicate } from "../engine/match/index.ts";
import { type Document, isDocument, type Value } from "../engine/value.ts";
import type { Collection } from "../storage/collection.ts";

const compiled = new WeakMap<Document, Predicate>();

function predicateOf(validator: Document): Predicate {
  let predicate = compiled.get(validator);
  if (!predicate) {
    predicate = compileFilter(validator);
    compiled.set(validator, predicate);
  }
  return predicate;
}

function details(validator: Document): Document {
  const [name] = validator.keys();
  const known =
    name === "$jsonSchema" || name === "$expr" || name === "$and" || name === "$or" || name === "$nor";
  return new Map<string, Value>([
    ["operatorName", known ? name! : "$eq"],
    ["specifiedAs", validator],
    ["reason", known ? "expression did not match" : "comparison failed"],
  ]);
}

/**
 * @param before the document an update starts from; a moderate validator lets an invalid one stay invalid
 * @throws ServerError DocumentValidationFailure
 */
export function checkValidator(collection: Collection, bytes: Uint8Array, before?: Uint8Array): void {
  const validator = collection.option("validator");
  if (!isDocument(validator) || validator.size === 0) return;
  const level = collection.option("validationLevel") ?? "strict";
  if (level === "off" || collection.option("validationAction") === "warn") return;
  const predicate = predicateOf(validator);
  const document = decode(bytes);
  if (predicate(document)) return;
  if (level === "moderate" && before && !predicate(decode(before))) return;
  throw new ServerError("DocumentValidationFailure", "Document failed validation", {
    extra: new Map<string, unknown>([
      [
        "errInfo",
        new Map<string, unknown>([
          ["failingDocumentId", document.get("_id") ?? null],
          ["details", details(validator)],
        ]),
      ],
    ]),
  });
}
