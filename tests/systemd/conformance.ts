import { afterAll, beforeAll, describe, test } from "bun:test";
import { join } from "node:path";
import type { TestMachine } from "./machine.ts";
import { productUnits, readProductUnits, realWorker } from "./product-units.ts";
import { dependencies } from "./scenarios/dependencies.ts";
import { lifecycle } from "./scenarios/lifecycle.ts";
import { notification } from "./scenarios/notification.ts";
import { restarts } from "./scenarios/restarts.ts";
import type { Scenario } from "./scenarios/scenario.ts";
import { surroundings } from "./scenarios/surroundings.ts";

const areas: Readonly<Record<string, readonly Scenario[]>> = {
  lifecycle,
  restarts,
  notification,
  surroundings,
  dependencies,
};
/** `ROUNDTRIP_UNITS` names another folder of unit files. */
const unitsFolder = process.env.ROUNDTRIP_UNITS ?? join(import.meta.dirname, "../../services/units");
const bootTimeoutMs = 120_000;

/** Runs every scenario on one machine; the same suite for real systemd and for the stand-in, which is wrong where they differ. */
export function conformance(name: string, boot: () => Promise<TestMachine>): void {
  describe(name, () => {
    let machine: TestMachine;
    beforeAll(async () => {
      machine = await boot();
    }, bootTimeoutMs);
    afterAll(() => machine?.[Symbol.asyncDispose](), bootTimeoutMs);
    for (const [area, scenarios] of Object.entries(areas)) {
      describe(area, () => {
        for (const scenario of scenarios) test(scenario.name, () => scenario.run(machine), 30_000);
      });
    }
    const units = readProductUnits(unitsFolder);
    productUnits(
      units,
      () => machine,
      (behaviour) => machine.behave(behaviour),
    );
    realWorker(units, () => machine);
  });
}
