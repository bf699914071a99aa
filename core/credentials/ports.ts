import type { SecretFields } from "./secret-fields.ts";

/** Staging labels of Secrets Manager. */
export type SecretLabel = "AWSCURRENT" | "AWSPENDING" | "AWSPREVIOUS";

export interface SecretVersion {
  readonly id: string;
  readonly labels: readonly string[];
}

/** The versions of a secret. For programs on the host: a runner never reads one. */
export interface SecretVersions {
  /** Versions that have a label. Fails `configuration` when there is no such secret. */
  list(secret: string): Promise<readonly SecretVersion[]>;
  /** A version's fields; `undefined` when no version has that id or label. */
  read(secret: string, version: { id: string } | { label: SecretLabel }): Promise<SecretFields | undefined>;
  /**
   * Keeps a version under AWSPENDING. A version of that id stays as it is, also when it holds something else: what
   * counts is what `read` gives afterwards.
   */
  putPending(secret: string, id: string, fields: SecretFields): Promise<void>;
  /** Moves AWSCURRENT from one version to another; Secrets Manager leaves AWSPREVIOUS on the one before. */
  promote(secret: string, from: string, to: string): Promise<void>;
  /** Takes a label off a version; one that doesn't have it is left alone. */
  removeLabel(secret: string, id: string, label: SecretLabel): Promise<void>;
}
