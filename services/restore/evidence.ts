import type { KnownConflict } from "../../adapters/state/conflict-ledger.ts";
import type { LoadedTail } from "../../adapters/state/tail-ledger.ts";
import type { ReplayState } from "../../core/apply/replay.ts";
import { catalogNormalisations } from "../../core/verdict/catalogs.ts";
import type { Evidence } from "../../core/verdict/decide.ts";
import type { Compared } from "./comparison.ts";
import type { LogSeen } from "./log-watch.ts";
import type { Restore } from "./restore.ts";
import { tailCount } from "./tail.ts";

export interface Findings {
  readonly log: LogSeen;
  readonly logAfter: LogSeen | undefined;
  readonly state: ReplayState;
  readonly tail: LoadedTail;
  readonly known: readonly KnownConflict[];
  readonly compared: Compared;
}

type Rest = "catalog" | "accepted" | "before" | "after" | "durations";

/** What log, replay, tail and comparison say, as the verdict takes it. */
export function evidenceOf(restore: Restore, findings: Findings): Omit<Evidence, Rest> {
  const { log, logAfter, state, tail, known, compared } = findings;
  const contested = known.filter(({ margin }) => !margin);
  const last = logAfter ?? log;
  return {
    failbackId: restore.failback.id,
    takenAt: restore.service.clock.now().toISOString(),
    fence: restore.fence.number,
    coverage: {
      firstSequence: 1,
      lastSequence: log.captured,
      manifests: log.lastManifest,
      appliedThrough: state.sequence,
      problems: [],
    },
    captured: last.captured,
    applied: state.counts.events,
    held: last.held,
    tail: [...tail.images.values()].reduce((sum, documents) => sum + tailCount(documents), 0),
    conflicts: new Set(contested.map(({ namespace, key }) => `${namespace} ${key}`)).size,
    openConflicts: compared.openConflicts,
    collections: compared.collections,
    notes: notesOf(restore, findings, last),
    normalisations: catalogNormalisations,
  };
}

function notesOf({ failback }: Restore, { state, tail, known }: Findings, last: LogSeen): string[] {
  const { passed, lookupNull } = state.counts;
  const { forced } = failback.scope;
  const margin = known.filter((each) => each.margin).length;
  return [
    tail.header.boundary,
    ...when(
      margin,
      "documents changed on MongoDB just before DMS's checkpoint, and in the log: the log's version stands, MongoDB's is in the tail's ledger",
    ),
    ...tail.header.commands.map((command) => `in the tail on MongoDB: ${command}`),
    ...last.flags,
    ...when(last.marked.length, "documents copied from DocumentDB behind the fence"),
    ...Object.entries(passed).map(([what, count]) => `${count} × ${what}: changed no document by itself`),
    ...when(lookupNull, "updates whose document was gone when it was looked up"),
    ...(forced ? [`the start was forced (${forced}): everything was compared`] : []),
  ];
}

function when(count: number, what: string): string[] {
  return count > 0 ? [`${count} ${what}`] : [];
}
