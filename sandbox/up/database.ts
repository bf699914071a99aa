import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StandIn } from "./stand-in.ts";

export interface DatabaseReady {
  /** With a root user, replica set and all. */
  readonly uri: string;
  /** One a member, in the order of the set's hosts. */
  readonly ports: readonly number[];
  readonly pid: number;
}

export interface DatabaseOptions {
  readonly dir: string;
  readonly name?: string;
  /** More parameters of sandbox/database/main.ts; a real server knows --set only. */
  readonly parameters?: readonly string[];
  /** Path of a real `mongod` to run in its place; the variable MONGOD unless given. */
  readonly mongod?: string;
}

export type DatabaseHandle = StandIn<DatabaseReady>;

/**
 * Starts the MongoDB stand-in, or a real server where `MONGOD` names one. Its data lies in `dir` and is there again
 * after `kill` and `restart`. The root password is made once and kept beside the data.
 */
export function startDatabase({
  dir,
  name = "database",
  parameters = [],
  mongod = process.env.MONGOD,
}: DatabaseOptions): Promise<DatabaseHandle> {
  const passwordFile = join(dir, "admin-password");
  if (!existsSync(passwordFile)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(passwordFile, randomBytes(18).toString("hex"), { mode: 0o600 });
  }
  const own = ["--dir", dir, "--port", "0", "--admin-password-file", passwordFile];
  return StandIn.start({
    name,
    script: mongod ? "up/real-database.ts" : "database/main.ts",
    parameters: [...own, ...(mongod ? ["--mongod", mongod] : []), ...parameters],
    logFile: join(dir, "..", `${name}.log`),
  });
}
