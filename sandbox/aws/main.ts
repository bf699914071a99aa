import { parseArgs } from "node:util";
import { startAws } from "./server.ts";

const usage =
  "usage: bun sandbox/aws/main.ts --dir DIR [--port N|0] [--region us-east-1] [--exit-with-parent]";

const { values } = parseArgs({
  options: {
    dir: { type: "string" },
    port: { type: "string", default: "0" },
    region: { type: "string", default: "us-east-1" },
    "exit-with-parent": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const port = Number(values.port);
if (values.help || values.dir === undefined || !Number.isInteger(port) || port < 0 || port > 65535) {
  console.error(usage);
  process.exit(values.help ? 0 : 64);
}

// Nothing to finish: whatever was acknowledged is in sqlite already. Set up first, so that a signal is heard from the start.
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => process.exit(0));

try {
  const server = await startAws({ dir: values.dir, port, region: values.region });
  console.log(JSON.stringify({ ready: true, url: server.url, pid: process.pid }));
} catch (error) {
  console.error(
    `aws stand-in: couldn't start on port ${port || "any"} with ${values.dir}: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exit(1);
}

if (values["exit-with-parent"]) {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.on("close", () => process.exit(0));
  process.stdin.resume();
}
