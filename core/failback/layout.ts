/**
 * Where everything of one failback lies in the environment's bucket. One failback, one prefix:
 * an earlier incident can never mix with this one.
 */
export const currentKey = "failback/current.json";
export const leaseKey = "failback/lease.json";
export const identityKey = "identity/mongodb.json";

/** The namespace Roundtrip itself writes on DocumentDB: canary, heartbeat, sentinel. */
export const controlDatabase = "roundtrip_control";
export const controlCollection = "signals";

/** Of dumps: the bucket's lifecycle expires them by it, beside a log that must not expire (terraform/modules/s3). */
export const dumpTags = { retention: "dump" };

/** Answers of action `inspect`; of interest for minutes, the bucket's lifecycle removes them. */
export const inspectionsPrefix = "operations/inspections/";

/** Key of one inspection: unique by `run` (letters and digits), in order of time. */
export function inspectionKey(takenAt: Date, run: string): string {
  return keyInTime(inspectionsPrefix, takenAt, run);
}

/** Answers of action `preflight`; as short-lived as inspections. */
export const preflightsPrefix = "operations/preflights/";

export function preflightKey(takenAt: Date, run: string): string {
  return keyInTime(preflightsPrefix, takenAt, run);
}

function keyInTime(prefix: string, takenAt: Date, run: string): string {
  return `${prefix}${takenAt.toISOString().replace(/[:.]/g, "-")}-${run.replace(/[^A-Za-z0-9]/g, "")}.json`;
}

function failbackPrefix(id: string): string {
  return `failback/${id}/`;
}

export function keysOf(id: string) {
  const root = failbackPrefix(id);
  return {
    root,
    scope: `${root}scope.json`,
    startPoint: `${root}start-point.json`,
    replicationTasks: `${root}replication-tasks.json`,
    roles: `${root}roles.json`,
    closing: `${root}mongodb-closing.json`,
    log: `${root}replication/`,
    manifests: `${root}manifests/`,
    manifest: (number: number) => `${root}manifests/${String(number).padStart(10, "0")}.json`,
    resumeToken: `${root}data_resume_token.json`,
    gap: `${root}gap.json`,
    fences: `${root}fences/`,
    fence: (number: number) => `${root}fences/${String(number).padStart(4, "0")}.json`,
    catalog: (name: string) => `${root}catalog/${name}.json`,
    status: (service: string) => `${root}status/${service}.json`,
    journal: (runbook: string) => `${root}journal/${runbook}/`,
    action: (name: string) => `${root}actions/${name}.json`,
    dump: (side: "mongodb" | "documentdb") => `${root}dump/${side}/`,
    tail: `${root}tail/`,
    restoreCheckpoint: `${root}restore/checkpoint.json`,
    restoreSessions: `${root}restore/sessions.json`,
    conflicts: `${root}restore/conflicts/`,
    verdict: `${root}verdict.json`,
    differences: (database: string, collection: string) =>
      `${root}differences/${encodeURIComponent(database)}/${encodeURIComponent(collection)}.ndjson`,
    accepted: `${root}accepted.json`,
    captureStopped: `${root}capture-stopped.json`,
    archive: `archive/${id}/`,
  };
}
