import type { CollectionVerdict, Verdict, VerdictWord } from "../failback/documents.ts";
import type { CatalogDifference } from "./catalogs.ts";

/** One look at the log and at MongoDB's oplog: what others than the restore wrote since the fence (invariants.md 22). */
export interface Quiet {
  /** Writes of others on MongoDB, each naming operation, namespace and document; at most a hundred. */
  readonly foreignWrites: readonly string[];
  /** Application writes in the log behind the fence, each naming its event. */
  readonly writesBehindFence: readonly string[];
  /** Why the look did not see everything; empty when it did. */
  readonly blind: readonly string[];
}

/** Everything a verdict rests on. Whatever is missing or was not looked at makes it UNKNOWN. */
export interface Evidence {
  readonly failbackId: string;
  readonly takenAt: string;
  readonly fence: number;
  readonly coverage: Verdict["coverage"] & {
    /** Last sequence that was applied. */
    readonly appliedThrough: number;
    /** Why the manifests don't cover 1…N, each naming the number. */
    readonly problems: readonly string[];
  };
  readonly captured: number;
  readonly applied: number;
  readonly held: number;
  readonly tail: number;
  readonly conflicts: number;
  /** Conflicts no policy could settle, each naming document and index. */
  readonly openConflicts: readonly string[];
  readonly collections: readonly (CollectionVerdict & { readonly complete: boolean })[];
  readonly catalog: readonly CatalogDifference[];
  readonly before: Quiet;
  readonly after: Quiet;
  /** Foreign writes a person has looked at and lets stand, by their text. */
  readonly accepted: ReadonlySet<string>;
  /** Events flagged by capture, and events that changed no document: named, not counted against the verdict. */
  readonly notes: readonly string[];
  readonly normalisations: readonly string[];
  readonly durations: Verdict["durations"];
}

const documentNormalisations = ["documents are compared byte by byte: no normalisation"];

/**
 * PROVEN: 1…N by manifests applied, no difference beyond the tail and settled conflicts, catalogs equal or each
 * difference accepted, and nobody wrote meanwhile (invariants.md 22, 23). UNKNOWN: something was not seen, or moved.
 * UNKNOWN outranks DIFFERS, because a comparison against something that moves proves neither.
 */
export function decide(evidence: Evidence): Verdict {
  const unknown = whyUnknown(evidence);
  const differs = whyDiffers(evidence);
  const verdict: VerdictWord = unknown.length > 0 ? "UNKNOWN" : differs.length > 0 ? "DIFFERS" : "PROVEN";
  const { appliedThrough: _, problems: __, ...coverage } = evidence.coverage;
  return {
    version: 1,
    failbackId: evidence.failbackId,
    verdict,
    reasons: [...unknown, ...differs],
    takenAt: evidence.takenAt,
    fence: evidence.fence,
    coverage,
    captured: evidence.captured,
    applied: evidence.applied,
    held: evidence.held,
    tail: evidence.tail,
    conflicts: evidence.conflicts,
    collections: evidence.collections.map(({ complete: _, ...collection }) => collection),
    catalog: evidence.catalog,
    notes: [...evidence.notes, ...acceptedWrites(evidence)],
    normalisations: [...documentNormalisations, ...evidence.normalisations],
    durations: evidence.durations,
  };
}

function whyUnknown(evidence: Evidence): string[] {
  const { coverage, collections, before, after, fence } = evidence;
  const reasons = [...coverage.problems];
  if (coverage.firstSequence !== 1)
    reasons.push(`the log begins at event ${coverage.firstSequence}, not at 1`);
  if (coverage.appliedThrough < coverage.lastSequence) {
    reasons.push(`applied through event ${coverage.appliedThrough} of ${coverage.lastSequence}`);
  }
  if (fence < 1) reasons.push("no fence is in the log");
  if (collections.length === 0) reasons.push("no collection was compared");
  for (const { database, collection, complete } of collections) {
    if (!complete) reasons.push(`${database}.${collection} was not compared to the end`);
  }
  for (const look of [before, after]) {
    const when = look === before ? "before" : "after";
    for (const what of look.blind) reasons.push(`${when} the comparison: ${what}`);
    for (const write of look.foreignWrites) {
      if (!evidence.accepted.has(write)) reasons.push(`foreign write on MongoDB: ${write}`);
    }
    for (const write of look.writesBehindFence) reasons.push(`write behind fence ${fence}: ${write}`);
  }
  return [...new Set(reasons)];
}

function acceptedWrites({ before, after, accepted }: Evidence): string[] {
  const writes = new Set([...before.foreignWrites, ...after.foreignWrites]);
  return [...writes]
    .filter((write) => accepted.has(write))
    .map((write) => `accepted foreign write on MongoDB: ${write}`);
}

function whyDiffers(evidence: Evidence): string[] {
  const reasons: string[] = [];
  for (const each of evidence.collections) {
    if (each.differing === 0) continue;
    const { documentdb, mongodb } = each.documents;
    reasons.push(
      `${each.database}.${each.collection}: ${each.differing} documents differ (DocumentDB ${documentdb}, MongoDB ${mongodb}), among them ${each.differingIds.slice(0, 3).join(", ")}`,
    );
  }
  for (const conflict of evidence.openConflicts) reasons.push(`conflict not settled: ${conflict}`);
  for (const { what, accepted } of evidence.catalog) if (!accepted) reasons.push(`catalog: ${what}`);
  return reasons;
}
