import type { Environment } from "../../../core/failback/documents.ts";

export const region = "us-east-1";

export interface Addresses {
  readonly mongodb: string;
  readonly documentdb: string;
  readonly aws: string;
  readonly hostDirectory: string;
  readonly instanceId: string;
  /** Folder with mongodump; "" when it is on PATH. */
  readonly toolsFolder: string;
  /** AWS variables every program gets. */
  readonly awsVariables: Readonly<Record<string, string>>;
  readonly settings: NonNullable<Environment["settings"]>;
}
