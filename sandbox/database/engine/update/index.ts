/** Updates: operators, replacements and pipelines. */
import type { Collator } from "../compare.ts";
import { ServerError } from "../errors.ts";
import { compileFilter, type FilterContext, type MatchDetails, type Predicate } from "../match/index.ts";
import { DateTime, type Document, Timestamp, type Value } from "../value.ts";
import { applyTree } from "./apply.ts";
import { compileArrayFilters } from "./array-filters.ts";
import { computeDiff } from "./diff.ts";
import { ChangeLog } from "./log.ts";
import { parseOperators } from "./parse.ts";
import { compilePipelineUpdate } from "./pipeline.ts";
import { fillTimestamps, replaceDocument } from "./replacement.ts";
import { idFirst } from "./storage.ts";
import { documentFromQuery } from "./upsert.ts";

export { updateDescription } from "./description.ts";
export { applyDiff, computeDiff } from "./diff.ts";
export { applyOplogUpdate } from "./oplog.ts";
export { idFirst } from "./storage.ts";

export interface UpdateOptions {
  arrayFilters?: Value[];
  collation?: Collator;
  let?: Document;
  /** constants `c` of an internal pipeline update, as further variables */
  constants?: Document;
  multi?: boolean;
  /** current time in milliseconds since 1970 */
  now?: () => bigint;
  /** what `$currentDate: {$type: "timestamp"}` and empty timestamps become */
  clusterTime?: Timestamp | (() => Timestamp);
}

export interface ApplyOptions {
  /** true for the document of an upsert: it starts with the equalities of `query` */
  insert?: boolean;
  /** the filter that found the document: needed for the positional `$` and for upserts */
  query?: Document;
  /** which array element the query matched, when the caller knows it already */
  matchedIndex?: number;
}

export interface UpdateResult {
  /** The new document, `_id` first. An upsert's may have no `_id` yet. */
  doc: Document;
  changed: boolean;
  /** The change as the oplog's `$v: 2` delta; undefined when it is to be logged as a whole document. */
  diff?: Document;
}

export interface CompiledUpdate {
  isReplacement: boolean;
  apply(document: Document, options: ApplyOptions): UpdateResult;
}

/** Context of the filters and expressions inside an update. */
function filterContextOf(options: UpdateOptions): FilterContext {
  return {
    collation: options.collation,
    let:
      options.constants === undefined ? options.let : new Map([...(options.let ?? []), ...options.constants]),
  };
}

/**
 * Compiles an update: with operators, as a pipeline (array), or a replacement (a document without operators).
 * @throws ServerError FailedToParse, BadValue, ConflictingUpdateOperators …
 */
export function compileUpdate(update: Document | Document[], options: UpdateOptions = {}): CompiledUpdate {
  if (Array.isArray(update)) return compilePipeline(update, options);
  const [first] = update.keys();
  return first?.startsWith("$") ? compileOperators(update, options) : compileReplacement(update, options);
}

function clocks(options: UpdateOptions): { now: () => bigint; clusterTime: () => Timestamp } {
  const now = options.now ?? (() => DateTime.now().milliseconds);
  const given = options.clusterTime;
  if (typeof given === "function") return { now, clusterTime: given };
  return { now, clusterTime: () => given ?? new Timestamp({ t: Number(now() / 1000n), i: 1 }) };
}

function compileOperators(update: Document, options: UpdateOptions): CompiledUpdate {
  const filterContext = filterContextOf(options);
  const filters = compileArrayFilters(options.arrayFilters ?? [], filterContext);
  const parsed = parseOperators(update, {
    ...clocks(options),
    collation: options.collation,
    filters,
    filterContext,
  });
  const predicates = new WeakMap<Document, Predicate>();

  const matchedIndex = (
    document: Document,
    { query, matchedIndex: known }: ApplyOptions,
  ): number | undefined => {
    if (!parsed.usesPositional || known !== undefined || query === undefined) return known;
    let predicate = predicates.get(query);
    if (predicate === undefined) {
      predicate = compileFilter(query, filterContext);
      predicates.set(query, predicate);
    }
    const details: MatchDetails = {};
    return predicate(document, details) ? details.arrayIndex : undefined;
  };

  return {
    isReplacement: false,
    apply(document, applyOptions) {
      const insert = applyOptions.insert ?? false;
      const start = insert ? documentFromQuery(applyOptions.query ?? new Map(), false) : document;
      const log = new ChangeLog();
      const state = {
        root: start,
        insert,
        matchedIndex: insert ? undefined : matchedIndex(document, applyOptions),
        log,
      };
      const result = applyTree(parsed.root, start, state);
      if (insert) return { doc: idFirst(result), changed: true };
      if (result === document) return { doc: document, changed: false };
      return { doc: idFirst(result), changed: true, diff: log.toDiff() };
    },
  };
}

function compileReplacement(replacement: Document, options: UpdateOptions): CompiledUpdate {
  if (options.multi) {
    throw new ServerError("FailedToParse", "multi update is not supported for replacement-style update");
  }
  const { clusterTime } = clocks(options);
  return {
    isReplacement: true,
    apply(document, { insert = false, query }) {
      const start = insert ? documentFromQuery(query ?? new Map(), true) : document;
      const result = replaceDocument(start, fillTimestamps(replacement, clusterTime), false);
      return { doc: result, changed: insert || result !== start };
    },
  };
}

function compilePipeline(stages: Document[], options: UpdateOptions): CompiledUpdate {
  if ((options.arrayFilters ?? []).length > 0) {
    throw new ServerError("FailedToParse", "arrayFilters may not be specified for pipeline-style updates");
  }
  const { now, clusterTime } = clocks(options);
  const context = { ...filterContextOf(options), now: new DateTime(now()), clusterTime: clusterTime() };
  const transform = compilePipelineUpdate(stages, context);
  return {
    isReplacement: false,
    apply(document, { insert = false, query }) {
      const start = insert ? documentFromQuery(query ?? new Map(), false) : document;
      const result = replaceDocument(start, transform(start), true);
      if (insert) return { doc: result, changed: true };
      if (result === document) return { doc: document, changed: false };
      return { doc: result, changed: true, diff: computeDiff(document, result) };
    },
  };
}
