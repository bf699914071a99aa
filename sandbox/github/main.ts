import { parseArgs } from "node:util";
import { startGitHub } from "./server.ts";

const { values } = parseArgs({
  options: {
    dir: { type: "string" },
    port: { type: "string", default: "0" },
    "exit-with-parent": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const port = Number(values.port);
if (values.help || values.dir === undefined || !Number.isInteger(port) || port < 0 || port > 65535) {
  console.error("usage: bun sandbox/github/main.ts --dir DIR [--port N|0] [--exit-with-parent]");
  process.exit(values.help ? 0 : 64);
}
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));
try {
  const { url } = await startGitHub({ dir: values.dir, port });
  console.log(JSON.stringify({ ready: true, url, pid: process.pid }));
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  console.error(`github stand-in: couldn't start on port ${port || "any"} with ${values.dir}: ${reason}`);
  process.exit(1);
}
if (values["exit-with-parent"]) {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.on("close", () => process.exit(0));
  process.stdin.resume();
}
