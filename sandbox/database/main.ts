/** The MongoDB stand-in as a program: see README.md and --help. */
import { ensureAdmin } from "./auth/bootstrap.ts";
import { HELP, parseOptions, UsageError } from "./server/options.ts";
import { Server } from "./server/server.ts";

function uriOf(server: Server): string {
  const { adminUser, adminPassword, setName } = server.options;
  const login = `${encodeURIComponent(adminUser)}:${encodeURIComponent(adminPassword)}`;
  return `mongodb://${login}@${server.replicaSet.hosts.join(",")}/?replicaSet=${setName}&authSource=admin`;
}

function endWith(server: Server): void {
  const end = (): void => {
    server.stop();
    process.exit(0);
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  if (!server.options.exitWithParent) return;
  process.stdin.on("end", end);
  process.stdin.on("close", end);
  process.stdin.resume();
}

function main(): void {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(HELP);
    return;
  }
  const server = new Server(options);
  endWith(server);
  server.start();
  ensureAdmin(server);
  const ports = server.replicaSet.members.map((member) => member.port);
  process.stdout.write(`${JSON.stringify({ ready: true, uri: uriOf(server), ports, pid: process.pid })}\n`);
}

try {
  main();
} catch (error) {
  const usage =
    error instanceof UsageError || (error as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  process.stderr.write(
    `${usage ? `${(error as Error).message}\n\n${HELP}` : `database stand-in failed: ${(error as Error).stack ?? error}`}\n`,
  );
  process.exit(usage ? 2 : 1);
}
