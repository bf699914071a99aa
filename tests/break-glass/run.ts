/**
 * Runs a program where there is no network but one server: `unshare --net bun run.ts SOCKET PORT PROGRAM ARGUMENT…`. A new
 * network namespace has a loopback device of its own (it has to be up); what the program sends to PORT goes through the Unix socket to the
 * server outside, and there is no way to anything else. The program gets the variables in ISOLATED_VARIABLES and no others.
 */
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";

const [socket = "", port = "", program = "", ...parameters] = process.argv.slice(2);
const server = createServer((incoming) => {
  const outgoing = connect(socket);
  incoming.pipe(outgoing).pipe(incoming);
  incoming.on("error", () => outgoing.destroy());
  outgoing.on("error", () => incoming.destroy());
});
server.listen(Number(port), "127.0.0.1", () => {
  const env = JSON.parse(process.env.ISOLATED_VARIABLES ?? "{}") as Record<string, string>;
  const child = spawn(program, parameters, { env, stdio: "inherit" });
  child.on("error", (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exit(127);
  });
  child.on("exit", (code) => process.exit(code ?? 137));
});
