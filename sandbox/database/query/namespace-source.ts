/** All documents of a collection, a view or the oplog, as pipelines read them. */

import { OplogSource } from "../cursors/oplog-source.ts";
import { runPipeline } from "../engine/aggregate/index.ts";
import { decode } from "../engine/codec.ts";
import { ServerError } from "../engine/errors.ts";
import type { Document, Value } from "../engine/value.ts";
import type { CommandContext } from "../server/context.ts";
import { pipelineContext } from "./pipeline-context.ts";
import { choosePlan } from "./plan.ts";
import { openScan } from "./scan.ts";

const MOST_VIEWS = 20;

/** A namespace with views taken apart: the collection at the bottom, and the stages on the way to it. */
export interface Resolved {
  ns: string;
  pipeline: Document[];
  collation: Document | undefined;
  isView: boolean;
}

/** @throws ServerError ViewDepthLimitExceeded */
export function resolveViews(context: CommandContext, ns: string): Resolved {
  const resolved: Resolved = { ns, pipeline: [], collation: undefined, isView: false };
  const database = ns.slice(0, ns.indexOf("."));
  for (let depth = 0; ; depth++) {
    const view = context.storage.catalog.view(resolved.ns);
    if (!view) return resolved;
    if (depth >= MOST_VIEWS)
      throw new ServerError(
        "ViewDepthLimitExceeded",
        `View depth too deep or view cycle detected; maximum depth is ${MOST_VIEWS}`,
      );
    resolved.pipeline = [...(view.pipeline as Document[]), ...resolved.pipeline];
    resolved.collation ??= view.collation;
    resolved.ns = `${database}.${view.viewOn}`;
    resolved.isView = true;
  }
}

/** Reads a collection (no view) as documents; `filter` and `sort` only help to choose an index. */
export function* readCollection(
  context: CommandContext,
  ns: string,
  filter?: Document,
  sort?: Document,
  hint?: Value,
): Generator<Document> {
  if (ns === "local.oplog.rs") {
    const source = new OplogSource(
      context.storage,
      { from: 0, to: Number.MAX_SAFE_INTEGER },
      undefined,
      false,
    );
    for (let bytes = source.next(); bytes; bytes = source.next()) yield decode(bytes);
    return;
  }
  const collection = context.storage.catalog.get(ns);
  if (!collection) return;
  const plan = choosePlan(collection, { filter: filter ?? new Map(), sort, hint });
  const scan = openScan(collection, plan);
  for (let row = scan.next(); row; row = scan.next()) yield decode(row.document);
}

/** All documents of a namespace, through its views. */
export function readNamespace(context: CommandContext, ns: string): Iterable<Document> {
  const resolved = resolveViews(context, ns);
  const documents = readCollection(context, resolved.ns);
  if (resolved.pipeline.length === 0) return documents;
  return runPipeline(resolved.pipeline, documents, pipelineContext(context, undefined, false));
}
