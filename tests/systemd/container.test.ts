import { describe, test } from "bun:test";
import { existsSync } from "node:fs";
import { conformance } from "./conformance.ts";
import { containerObstacle, containerRoot } from "./container.ts";
import { bootContainer } from "./container-machine.ts";

// `make test-systemd` makes the root once; without it this suite is skipped, so that a plain test run needs no minute for it.
const obstacle =
  containerObstacle() ?? (existsSync(containerRoot) ? undefined : "needs `make test-systemd` once");
if (obstacle === undefined) conformance("real systemd", () => bootContainer());
else describe("real systemd", () => test.skip(`skipped: ${obstacle}`, () => {}));
