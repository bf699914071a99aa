/** Set when the binary is built (services/build.ts). */
declare const ROUNDTRIP_VERSION: string | undefined;
declare const ROUNDTRIP_COMMIT: string | undefined;

/** The worker's version; of a worker run from source it says so. */
export function workerVersion(): string {
  return typeof ROUNDTRIP_VERSION === "string" ? ROUNDTRIP_VERSION : "0.0.0-source";
}

export function workerCommit(): string {
  return typeof ROUNDTRIP_COMMIT === "string" ? ROUNDTRIP_COMMIT : "uncommitted";
}
