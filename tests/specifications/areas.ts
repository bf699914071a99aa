/** The parts of the specifications this runner knows: name → folder below `source/`. */
export const areas = {
  crud: "crud/tests/unified",
  "change-streams": "change-streams/tests/unified",
  sessions: "sessions/tests",
  "retryable-writes": "retryable-writes/tests/unified",
  transactions: "transactions/tests/unified",
  "transactions-convenient-api": "transactions-convenient-api/tests/unified",
  "retryable-reads": "retryable-reads/tests/unified",
  "collection-management": "collection-management/tests",
  "index-management": "index-management/tests",
  "command-monitoring": "command-logging-and-monitoring/tests/monitoring",
  gridfs: "gridfs/tests",
  "run-command": "run-command/tests/unified",
  "read-write-concern": "read-write-concern/tests/operation",
} as const;

export type Area = keyof typeof areas;

export const allAreas = Object.keys(areas) as Area[];

/** The share of applicable cases that has to pass in these, in percent. */
export const leastShare = 95;
export const judgedAreas: readonly Area[] = ["crud", "change-streams", "sessions", "retryable-writes"];
