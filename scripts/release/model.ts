/** What a release is made of. */

/** `release.json`, written last: a folder or prefix without it is no whole release. */
export interface Release {
  readonly version: 1;
  /** Like `0.1.0`; the tag is `v0.1.0`. */
  readonly release: string;
  readonly commit: string;
  readonly compiler: string;
  readonly files: readonly ReleasedFile[];
}

export interface ReleasedFile {
  readonly name: string;
  /** Where it lies in the bucket of releases. */
  readonly key: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface Architecture {
  /** As in the files' names. */
  readonly name: "x64" | "arm64";
  /** Bun's name of the target. */
  readonly target: string;
  /** Bun's npm package for it, of the version in package-lock.json. */
  readonly runtime: string;
  /** `e_machine` of an ELF file (elf(5)). */
  readonly machine: number;
}

export const architectures: readonly Architecture[] = [
  { name: "x64", target: "bun-linux-x64", runtime: "@oven/bun-linux-x64", machine: 0x3e },
  { name: "arm64", target: "bun-linux-arm64", runtime: "@oven/bun-linux-aarch64", machine: 0xb7 },
];

export const programs = [
  { name: "roundtrip-worker", entry: "services/main.ts" },
  { name: "roundtrip", entry: "scripts/roundtrip.ts" },
] as const;

export const sumsName = "SHA256SUMS";
export const releaseName = "release.json";
export const bomName = "sbom.cdx.json";
/** The lambdas: built by scripts/build-<name>.ts. */
export const functions = ["create-user-db", "notify"] as const;
