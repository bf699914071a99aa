/**
 * `make test-systemd`: the unit files and the host stand-in against real systemd in a Debian container. Arguments choose
 * test files.
 */
import { join } from "node:path";
import { containerObstacle, makeContainerRoot } from "./container.ts";

const chosen = process.argv.slice(2);
const obstacle = containerObstacle();
if (obstacle !== undefined) {
  const required = process.env.REQUIRE_ALL === "1";
  console.error(`test-systemd: ${required ? "failed" : "skipped"}: ${obstacle}`);
  process.exit(required ? 1 : 0);
}
try {
  await makeContainerRoot((message) => console.error(`test-systemd: ${message}`));
} catch (error) {
  console.error(`test-systemd: ${(error as Error).message}`);
  process.exit(1);
}
const tests = Bun.spawn([process.execPath, "test", ...(chosen.length > 0 ? chosen : [import.meta.dirname])], {
  cwd: join(import.meta.dirname, "../.."),
  stdio: ["ignore", "inherit", "inherit"],
});
// Ctrl-C reaches the tests, too, and their hooks power the container off; it must not end this before them.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => tests.kill("SIGTERM"));
process.exitCode = await tests.exited;
