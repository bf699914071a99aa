import { readFileSync } from "node:fs";
import type { CommandOutput } from "./invocation.ts";

// Started by the shim `systemctl` of a machine: the first argument says where its host listens, the rest is systemctl's.
const [hostFile = "", ...argv] = process.argv.slice(2);
try {
  const { control } = JSON.parse(readFileSync(hostFile, "utf8")) as { control: string };
  const answer = await fetch(`${control}/systemctl`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ argv }),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  const { stdout, stderr, status } = (await answer.json()) as CommandOutput;
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  process.exitCode = status;
} catch (error) {
  process.stderr.write(`Failed to connect to bus: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
