import { join } from "node:path";
import { StandIn } from "./stand-in.ts";

export interface DocumentdbReady {
  readonly uri: string;
  readonly pid: number;
}

export interface DocumentdbOptions {
  readonly dir: string;
  /** The database behind the dialect, with a root user. */
  readonly upstream: string;
  readonly parameters?: readonly string[];
}

export type DocumentdbHandle = StandIn<DocumentdbReady>;

/** Starts the DocumentDB dialect in front of a database. */
export function startDocumentdb({
  dir,
  upstream,
  parameters = [],
}: DocumentdbOptions): Promise<DocumentdbHandle> {
  return StandIn.start({
    name: "documentdb",
    script: "documentdb/main.ts",
    parameters: ["--dir", dir, "--port", "0", ...parameters],
    // It holds a password, which must not stand in a process list.
    environment: { SANDBOX_UPSTREAM: upstream },
    logFile: join(dir, "..", "documentdb.log"),
  });
}
