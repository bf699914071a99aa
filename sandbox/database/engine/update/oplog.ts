import { toNumber } from "../arithmetic.ts";
import { ServerError } from "../errors.ts";
import { type Document, isNumber, Timestamp } from "../value.ts";
import { applyTree } from "./apply.ts";
import { applyDiff } from "./diff.ts";
import { parseOperators } from "./parse.ts";

/** An oplog entry that can be applied twice must not fail where the path has gone since. */
function applyModifiers(document: Document, modifiers: Document): Document {
  let result = document;
  for (const [operator, fields] of modifiers) {
    if (operator === "$v" || !(fields instanceof Map)) continue;
    for (const [path, value] of fields) {
      try {
        const single: Document = new Map([[operator, new Map([[path, value]])]]);
        const { root } = parseOperators(single, {
          filters: new Map(),
          filterContext: {},
          now: () => 0n,
          clusterTime: () => new Timestamp(0n),
        });
        result = applyTree(root, result, {
          root: result,
          insert: false,
          matchedIndex: undefined,
          log: undefined,
        });
      } catch (error) {
        if (!(error instanceof ServerError) || error.codeName !== "PathNotViable") throw error;
      }
    }
  }
  return result;
}

/**
 * Applies the `o` of an update's oplog entry: a delta (`$v: 2`), modifiers (`$v: 1`, `$set`/`$unset`), or a whole
 * document that replaces the old one.
 * @throws ServerError 4772600 for a version this server doesn't know
 */
export function applyOplogUpdate(document: Document, o: Document): Document {
  const version = o.get("$v");
  if (isNumber(version) && toNumber(version) === 2) {
    const diff = o.get("diff");
    if (!(diff instanceof Map))
      throw new ServerError(4772601, "Expected 'diff' field in $v: 2 update oplog entry");
    return applyDiff(document, diff);
  }
  if (version !== undefined && !(isNumber(version) && toNumber(version) === 1)) {
    throw new ServerError(4772600, "Expected oplog entry to have $v: 1 or 2");
  }
  const [first] = [...o.keys()].filter((name) => name !== "$v");
  if (version !== undefined || first?.startsWith("$")) return applyModifiers(document, o);
  const id = document.get("_id");
  return id !== undefined && !o.has("_id") ? new Map([["_id", id], ...o]) : o;
}
