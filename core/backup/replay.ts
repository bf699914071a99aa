/**
 * How entries of the oplog are given to mongorestore. It applies documents and most commands as they are, but builds
 * indexes only at its end, under the name their collection had then, and passes over the dropping and changing of indexes
 * that were there before it began (mongo-tools, mongorestore/oplog.go). So an entry about indexes ends a piece: what
 * mongorestore builds at a piece's end is built where it belongs, and what it passes over is done between two pieces.
 */
import { documentIn, documentsInArray, elementsOf, findElement, textIn } from "../bson/raw.ts";

export type ReplayStep =
  /** Not applied: nobody's write, or the server's own. */
  | "skip"
  | "apply"
  /** Applied, and the piece ends behind it. */
  | "apply-and-end"
  /** The piece ends before it; done by a command of its own. */
  | "command";

const passedOver = new Set(["startIndexBuild", "abortIndexBuild"]);
const builds = new Set(["createIndexes", "commitIndexBuild"]);
const drops = new Set(["dropIndexes", "dropIndex", "deleteIndexes", "deleteIndex"]);

/**
 * Users and roles stay as they are on the target: their passwords live in secrets, which are newer than any backup. What
 * is below config is the set's own.
 */
export function isRestored(namespace: string): boolean {
  return !/^(config|local)\.|^admin\.system\./.test(namespace);
}

/** What is to be done with a raw entry. */
export function replayStep(raw: Uint8Array): ReplayStep {
  const kind = textIn(findElement(raw, "op"));
  const namespace = textIn(findElement(raw, "ns")) ?? "";
  if (kind === "n" || !isRestored(namespace)) return "skip";
  const body = documentIn(findElement(raw, "o"));
  if (kind !== "c" || !body) return "apply";
  const name = commandName(body);
  if (passedOver.has(name)) return "skip";
  if (drops.has(name) || (name === "collMod" && findElement(body, "index"))) return "command";
  return buildsIndexes(body) ? "apply-and-end" : "apply";
}

/** True for an entry of a transaction that others follow: a piece that ended behind it would lose it. */
export function isPartOfTransaction(raw: Uint8Array): boolean {
  const body = documentIn(findElement(raw, "o"));
  if (!body || textIn(findElement(raw, "op")) !== "c") return false;
  return ["partialTxn", "prepare"].some((name) => {
    const flag = findElement(body, name);
    return flag !== undefined && flag.bytes[flag.valueStart] === 1;
  });
}

/** Database and collection of an entry's command, and its body: what a `command` step runs. */
export function commandOf(raw: Uint8Array): { database: string; body: Uint8Array } {
  const namespace = textIn(findElement(raw, "ns")) ?? "";
  const body = documentIn(findElement(raw, "o"));
  if (!body) throw new Error("an entry of the oplog without a command");
  return { database: namespace.slice(0, namespace.indexOf(".")), body };
}

function commandName(body: Uint8Array): string {
  for (const { name } of elementsOf(body)) return name;
  return "";
}

/** Also within a transaction, which may make a collection with its indexes. */
function buildsIndexes(body: Uint8Array): boolean {
  const name = commandName(body);
  if (builds.has(name)) return true;
  const inner = name === "applyOps" ? findElement(body, "applyOps") : undefined;
  if (!inner) return false;
  return documentsInArray(inner.bytes, inner.valueStart).some((operation) => {
    const nested = documentIn(findElement(operation, "o"));
    return textIn(findElement(operation, "op")) === "c" && nested !== undefined && buildsIndexes(nested);
  });
}
