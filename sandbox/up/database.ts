import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { StandIn } from "./stand-in.ts";

export interface DatabaseReady {
  /** With a root user, replica set and all. */
  readonly uri: string;
  readonly pid: number;
}

export interface DatabaseOptions {
  readonly dir: string;
  readonly name?: string;
  /** More parameters of sandbox/database/main.ts. */
  readonly parameters?: readonly string[];
}

export type DatabaseHandle = StandIn<DatabaseReady>;

/** Starts the MongoDB stand-in; its data lies in `dir` and is there again after `kill` and `restart`. */
export function startDatabase({
  dir,
  name = "database",
  parameters = [],
}: DatabaseOptions): Promise<DatabaseHandle> {
  return StandIn.start({
    name,
    script: "database/main.ts",
    parameters: ["--dir", dir, "--port", "0", ...parameters],
    logFile: join(dir, "..", `${name}.log`),
    environment: { SANDBOX_ADMIN_PASSWORD: randomBytes(12).toString("hex") },
  });
}
