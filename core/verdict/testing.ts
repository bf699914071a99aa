import type { Evidence } from "./decide.ts";

const quiet = { foreignWrites: [], writesBehindFence: [], blind: [] };

/** Evidence of a failback in which nothing went wrong. */
export const soundEvidence: Evidence = {
  failbackId: "f-1",
  takenAt: "2026-11-21T08:00:00.000Z",
  fence: 1,
  coverage: { firstSequence: 1, lastSequence: 12, manifests: 3, appliedThrough: 12, problems: [] },
  captured: 12,
  applied: 9,
  held: 1,
  tail: 0,
  conflicts: 0,
  openConflicts: [],
  collections: [
    {
      database: "shop",
      collection: "orders",
      documents: { documentdb: 7, mongodb: 7 },
      equal: 7,
      tail: 0,
      conflicts: 0,
      differing: 0,
      differingIds: [],
      complete: true,
    },
  ],
  catalog: [],
  before: quiet,
  after: quiet,
  accepted: new Set(),
  notes: [],
  normalisations: [],
  durations: { applyMs: 1200, compareMs: 300 },
};
