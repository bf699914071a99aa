/** Set when a program is compiled (services/build.ts). */
declare const ROUNDTRIP_VERSION: string | undefined;
declare const ROUNDTRIP_COMMIT: string | undefined;

/** The version of this program, worker or `roundtrip`; run from source it says so. */
export function productVersion(): string {
  return typeof ROUNDTRIP_VERSION === "string" ? ROUNDTRIP_VERSION : "0.0.0-source";
}

export function productCommit(): string {
  return typeof ROUNDTRIP_COMMIT === "string" ? ROUNDTRIP_COMMIT : "uncommitted";
}
