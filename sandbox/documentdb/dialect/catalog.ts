/** Databases, collections and indexes: what may be created, and how they are listed. */
import type { Buffer } from "node:buffer";
import { unsupported } from "../errors.ts";
import type { Decision } from "../session.ts";
import { field, isOk, type Request } from "../wire/messages.ts";
import {
  arrayOf,
  documentOf,
  editDocument,
  element,
  findField,
  readDocument,
  readDocuments,
  readFields,
  readNumber,
  readString,
  Type,
} from "../wire/raw.ts";
import { elementsOf } from "./greeting.ts";
import { answer, type DialectSession, isAtLeast } from "./shared.ts";

const hiddenDatabases = new Set(["admin", "local", "config"]);

/** `admin`, `local` and `config` are not shown. */
export function listDatabases(): Decision {
  return {
    forward: true,
    reply: (document) => {
      const databases = findField(document, "databases");
      if (!databases) return document;
      const shown = readDocuments(document, databases).filter(
        (each) => !hiddenDatabases.has(readString(each, findField(each, "name")) ?? ""),
      );
      return editDocument(document, new Set(["databases"]), [
        element(Type.Array, "databases", arrayOf(shown)),
      ]);
    },
  };
}

/** Rewrites the documents of a cursor's first batch. The request is made to ask for everything at once. */
function rewriteBatch(request: Request, rewrite: (document: Buffer) => Buffer): Decision {
  return {
    forward: true,
    body: editDocument(request.body, new Set(["cursor"]), [elementsOf({ cursor: { batchSize: 100_000 } })]),
    reply: (document) => {
      const cursor = findField(document, "cursor");
      if (!cursor || !isOk(document)) return document;
      const inner = readDocument(document, cursor);
      const batch = findField(inner, "firstBatch")!;
      const documents = readDocuments(inner, batch).map(rewrite);
      const rewritten = editDocument(inner, new Set(["firstBatch"]), [
        element(Type.Array, "firstBatch", arrayOf(documents)),
      ]);
      return editDocument(document, new Set(["cursor"]), [element(Type.Document, "cursor", rewritten)]);
    },
  };
}

const optionExtras = elementsOf({
  capped: false,
  autoIndexId: true,
  storageEngine: { documentDB: { compression: { enable: false } } },
});

function describeCollection(document: Buffer, database: string): Buffer {
  const options = findField(document, "options");
  if (!options) return document;
  const extended = editDocument(
    readDocument(document, options),
    new Set(["capped", "autoIndexId", "storageEngine"]),
    [optionExtras],
  );
  const ns = `${database}.${readString(document, findField(document, "name"))}`;
  return editDocument(document, new Set(["options", "info", "idIndex"]), [
    element(Type.Document, "options", extended),
    elementsOf({ info: { readOnly: false }, idIndex: { v: 4, key: { _id: 1 }, name: "_id_", ns } }),
  ]);
}

export function listCollections(request: Request, session: DialectSession): Decision {
  if (hiddenDatabases.has(request.database)) {
    return answer(session.shared, {
      cursor: { firstBatch: [], id: 0n, ns: `${request.database}.$cmd.listCollections` },
    });
  }
  return rewriteBatch(request, (document) => describeCollection(document, request.database));
}

const indexVersions = new Set(["v", "ns", "2dsphereIndexVersion", "textIndexVersion"]);

/** Indexes are of version 4 and name their collection. */
export function listIndexes(request: Request): Decision {
  const namespace = `${request.database}.${readString(request.body, request.fields[0])}`;
  return rewriteBatch(request, (document) => {
    const fields = readFields(document).filter((each) => !indexVersions.has(each.name));
    const spherical = findField(document, "2dsphereIndexVersion");
    return documentOf([
      elementsOf({ v: 4 }),
      ...fields.map((each) => document.subarray(each.start, each.end)),
      elementsOf({ ns: namespace, ...(spherical ? { "2dsphereIndexVersion": 1 } : {}) }),
    ]);
  });
}

const refusedCreateOptions = [
  ...[
    "validator",
    "validationLevel",
    "validationAction",
    "viewOn",
    "timeseries",
    "clusteredIndex",
    "collation",
  ],
  ...["changeStreamPreAndPostImages", "expireAfterSeconds", "encryptedFields", "indexOptionDefaults"],
];

export function create(request: Request, session: DialectSession): Decision {
  if (readNumber(request.body, field(request, "capped"))) throw unsupported("capped:true");
  for (const name of refusedCreateOptions) {
    const isView = name === "viewOn" && isAtLeast(session.shared.engineVersion, "8.0.0");
    if (field(request, name) && !isView) throw unsupported(name);
  }
  return {
    forward: true,
    body: editDocument(request.body, new Set(["storageEngine", "autoIndexId", "capped", "flags"])),
  };
}

export function collMod(request: Request): Decision {
  const allowed = new Set(["collMod", "index", "$db", "lsid", "writeConcern", "comment", "$readPreference"]);
  const refused = request.fields.find((each) => !allowed.has(each.name));
  if (refused) throw unsupported(`collMod.${refused.name}`);
  return { forward: true };
}

const refusedIndexOptions = ["collation", "wildcardProjection", "hidden", "prepareUnique"];

function checkedIndex(specification: Buffer): Buffer {
  for (const name of refusedIndexOptions) {
    const option = findField(specification, name);
    if (option && readNumber(specification, option) !== 0) throw unsupported(`index option ${name}`);
  }
  const key = findField(specification, "key");
  for (const part of key ? readFields(specification, key.value) : []) {
    if (readString(specification, part) === "hashed") throw unsupported("hashed index");
    if (part.name.includes("$**")) throw unsupported("wildcard index");
  }
  return editDocument(specification, new Set([...indexVersions, "storageEngine"]));
}

export function createIndexes(request: Request): Decision {
  const indexes = field(request, "indexes");
  if (indexes?.type !== Type.Array) return { forward: true };
  const checked = readDocuments(request.body, indexes).map(checkedIndex);
  return {
    forward: true,
    body: editDocument(request.body, new Set(["indexes"]), [
      element(Type.Array, "indexes", arrayOf(checked)),
    ]),
  };
}
