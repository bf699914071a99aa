/** applyOps: oplog entries as a command, the way mongorestore --oplogReplay sends them. */
import { CLUSTER, type Need, namespace, need } from "../../auth/privilege.ts";
import { decode } from "../../engine/codec.ts";
import { ServerError } from "../../engine/errors.ts";
import { rawElements, rawField } from "../../engine/raw.ts";
import { Binary, isDocument } from "../../engine/value.ts";
import { checkUserWriteBlock } from "../../server/authorize.ts";
import type { Command, CommandContext, Reply } from "../../server/context.ts";
import { splitNamespace } from "../../storage/catalog.ts";
import type { Collection } from "../../storage/collection.ts";
import type { WriteUnit } from "../../storage/write-unit.ts";
import { applyCommand } from "./commands.ts";
import { applyDocumentOperation, type Operation } from "./operations.ts";

const MOST_NESTED = 10;

function readOperation(bytes: Uint8Array): Operation {
  const entry = decode(bytes);
  const op = entry.get("op");
  const ns = entry.get("ns");
  const o = entry.get("o");
  if (typeof op !== "string" || typeof ns !== "string" || !isDocument(o)) {
    throw new ServerError("FailedToParse", "applyOps: an operation needs 'op', 'ns' and 'o'");
  }
  const o2 = entry.get("o2");
  const ui = entry.get("ui");
  const field = rawField(bytes, "o")!;
  return {
    op,
    ns,
    o,
    o2: isDocument(o2) ? o2 : undefined,
    uuid: ui instanceof Binary ? new Uint8Array(ui.buffer.subarray(0, ui.position)) : undefined,
    body: bytes.subarray(field.start, field.end),
  };
}

/** `{applyOps: […]}` inside an operation is taken apart. */
function flatten(bytes: Uint8Array, depth = 0): Operation[] {
  const operation = readOperation(bytes);
  if (operation.op !== "c" || !operation.o.has("applyOps")) return [operation];
  if (depth >= MOST_NESTED) throw new ServerError("FailedToParse", "Too many nested applyOps");
  const inner = rawField(operation.body, "applyOps")!;
  return rawDocuments(operation.body, inner.start).flatMap((document) => flatten(document, depth + 1));
}

function rawDocuments(bytes: Uint8Array, start: number): Uint8Array[] {
  const documents: Uint8Array[] = [];
  for (const element of rawElements(bytes, start))
    if (element.type === 3) documents.push(bytes.subarray(element.start, element.end));
  return documents;
}

function operationsOf(context: CommandContext): Operation[] {
  const raw = context.batches.get("applyOps");
  if (!raw) throw new ServerError("BadValue", "ops has to be an array");
  return raw.flatMap((bytes) => flatten(bytes));
}

function homeOf(unit: WriteUnit, operation: Operation): Collection | undefined {
  const { catalog } = unit.storage;
  const found = operation.uuid ? (catalog.byUuid(operation.uuid) ?? undefined) : catalog.get(operation.ns);
  if (found || operation.op === "d") return found;
  throw new ServerError(
    "NamespaceNotFound",
    `cannot apply insert, delete, or update operation on a non-existent namespace ${operation.ns}`,
  );
}

function apply(context: CommandContext, unit: WriteUnit, operation: Operation): void {
  if (operation.op === "n") return;
  checkUserWriteBlock(context, splitNamespace(operation.ns).database);
  if (operation.op === "c") {
    applyCommand(unit, operation);
    return;
  }
  if (operation.op !== "i" && operation.op !== "u" && operation.op !== "d")
    throw new ServerError("BadValue", `applyOps: invalid op '${operation.op}'`);
  const home = homeOf(unit, operation);
  if (home) applyDocumentOperation(unit, home, operation, context.boolean("alwaysUpsert") ?? true);
}

function run(context: CommandContext): Reply {
  const operations = operationsOf(context);
  const results: boolean[] = [];
  for (const operation of operations) {
    try {
      context.storage.write((unit) => apply(context, unit, operation));
      results.push(true);
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      results.push(false);
      throw new ServerError(error.code, error.message, {
        extra: new Map<string, unknown>([["applied", results.length], ["results", results], ...error.extra]),
        cause: error,
      });
    }
  }
  return { applied: results.length, results };
}

const COMMAND_ACTIONS: Record<string, string> = {
  create: "createCollection",
  drop: "dropCollection",
  dropDatabase: "dropDatabase",
  createIndexes: "createIndex",
  commitIndexBuild: "createIndex",
  startIndexBuild: "createIndex",
  abortIndexBuild: "createIndex",
  dropIndexes: "dropIndex",
  collMod: "collMod",
};

function commandNeeds(operation: Operation): Need[] {
  const { database } = splitNamespace(operation.ns);
  const [name, value] = [...operation.o][0] ?? [""];
  if (name === "renameCollection") {
    const from = splitNamespace(String(value));
    const to = splitNamespace(String(operation.o.get("to")));
    const drops = operation.o.get("dropTarget")
      ? [need(namespace(to.database, to.name), "dropCollection")]
      : [];
    return [
      need(namespace(from.database, from.name), "find", "dropCollection"),
      need(namespace(to.database, to.name), "insert", "createIndex"),
      ...drops,
    ];
  }
  const action = COMMAND_ACTIONS[name];
  if (action === undefined) return [need({ kind: "any" }, "anyAction")];
  return [need(namespace(database, name === "dropDatabase" ? "" : String(value)), action)];
}

/** Each operation needs the right its own command would need. */
function operationNeeds(operation: Operation): Need[] {
  const { database, name } = splitNamespace(operation.ns);
  const uuid = operation.uuid ? [need(CLUSTER, "useUUID")] : [];
  const here = namespace(database, name);
  if (operation.op === "n") return [];
  if (operation.op === "c") return [...uuid, ...commandNeeds(operation)];
  if (operation.op === "i") return [...uuid, need(here, "insert", "update")];
  if (operation.op === "u") return [...uuid, need(here, "update", "insert")];
  return [...uuid, need(here, "remove")];
}

export const applyOpsCommand: Command = {
  name: "applyOps",
  fields: [
    "applyOps",
    "preCondition",
    "alwaysUpsert",
    "allowAtomic",
    "bypassDocumentValidation",
    "oplogApplicationMode",
    "count",
    "prepare",
    "partialTxn",
  ],
  role: "write",
  raw: ["applyOps"],
  needs(context) {
    const needs = new Map<string, Need>();
    for (const operation of operationsOf(context)) {
      for (const wanted of operationNeeds(operation)) needs.set(JSON.stringify(wanted), wanted);
    }
    return [...needs.values()];
  },
  run,
};
