/** Command line of the stand-in server. */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

export interface ServerOptions {
  directory: string;
  /** First port; 0 lets the system choose. Further members take the following ones, or any. */
  port: number;
  setName: string;
  members: number;
  adminUser: string;
  adminPassword: string;
  serverVersion: string;
  maxWireVersion: number;
  oplogBytes: number;
  exitWithParent: boolean;
}

export const HELP = `usage: bun sandbox/database/main.ts --dir DIR [options]

  --dir DIR                   where the data lies; a restart on it comes back at the same addresses
  --port N                    first member's port (default 0: any, kept for later starts)
  --set NAME                  replica set name (default rs0)
  --members N                 number of members, each a port of this process (default 3)
  --admin-user NAME           first user, with role root (default root)
  --admin-password-file FILE  its password; else the variable SANDBOX_ADMIN_PASSWORD
  --server-version V          version to report (default 7.0.14)
  --max-wire-version N        wire version to report (default 21)
  --oplog-size-mb N           size the oplog is capped at (default 512)
  --exit-with-parent          end when standard input closes

The first line of standard output is JSON: {"ready":true,"uri":…,"ports":[…],"pid":…}. SIGTERM and SIGINT end it cleanly.
Exit codes: 0 ended by a signal or with its parent, 1 failed while running, 2 wrong usage.`;

export class UsageError extends Error {}

function whole(
  name: string,
  text: string | undefined,
  fallback: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`--${name}: expected a whole number from ${least} to ${most}, got '${text}'`);
}

function password(file: string | undefined): string {
  if (file !== undefined) return readFileSync(file, "utf8").trim();
  const fromEnvironment = process.env.SANDBOX_ADMIN_PASSWORD;
  if (fromEnvironment) return fromEnvironment;
  throw new UsageError("no admin password: give --admin-password-file FILE or set SANDBOX_ADMIN_PASSWORD");
}

/** @throws UsageError naming the option, what was expected and what was given */
export function parseOptions(argv: string[]): ServerOptions | "help" {
  const { values } = parseArgs({
    args: argv,
    options: {
      dir: { type: "string" },
      port: { type: "string" },
      set: { type: "string" },
      members: { type: "string" },
      "admin-user": { type: "string" },
      "admin-password-file": { type: "string" },
      "server-version": { type: "string" },
      "max-wire-version": { type: "string" },
      "oplog-size-mb": { type: "string" },
      "exit-with-parent": { type: "boolean" },
      help: { type: "boolean" },
    },
  });
  if (values.help) return "help";
  if (!values.dir) throw new UsageError("--dir is missing: name a folder for the data");
  const version = values["server-version"] ?? "7.0.14";
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new UsageError(`--server-version: expected N.N.N, got '${version}'`);
  return {
    directory: values.dir,
    port: whole("port", values.port, 0, 0, 65_535),
    setName: values.set ?? "rs0",
    members: whole("members", values.members, 3, 1, 7),
    adminUser: values["admin-user"] ?? "root",
    adminPassword: password(values["admin-password-file"]),
    serverVersion: version,
    maxWireVersion: whole("max-wire-version", values["max-wire-version"], 21, 6, 27),
    oplogBytes: whole("oplog-size-mb", values["oplog-size-mb"], 512, 1, 1_000_000) * 1_048_576,
    exitWithParent: values["exit-with-parent"] ?? false,
  };
}
