import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseUnitFile } from "../../sandbox/host/unit-file.ts";
import { programFolder, show, type TestMachine, waitFor } from "./machine.ts";

/** One unit file of the product, and what it promises. */
interface ProductUnit {
  readonly name: string;
  readonly text: string;
  readonly program: string;
  readonly type: string;
  readonly restart: string;
  readonly preventedCodes: readonly number[];
  readonly environmentFiles: readonly string[];
}

/** Reads the services of a folder; timers and everything else are only installed. */
export function readProductUnits(folder: string): ProductUnit[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(".service"))
    .map((name) => {
      const text = readFileSync(join(folder, name), "utf8");
      const settings = parseUnitFile(text).filter(({ section }) => section === "Service");
      const all = (key: string): string[] =>
        settings.filter((entry) => entry.key === key).map(({ value }) => value);
      return {
        name,
        text,
        program: all("ExecStart")[0]!.split(" ")[0]!,
        type: all("Type")[0] ?? "simple",
        restart: all("Restart")[0] ?? "no",
        preventedCodes: all("RestartPreventExitStatus")
          .join(" ")
          .split(/\s+/)
          .filter((word) => /^\d+$/.test(word))
          .map(Number),
        environmentFiles: all("EnvironmentFile").filter((path) => !path.startsWith("-")),
      };
    });
}

/** The compiled worker, and where machines see the folder it lies in. */
export const builtWorker = join(import.meta.dirname, "../../dist/roundtrip-worker");
export const workerFolder = "/opt/roundtrip-real";

/** An exit code that no list names and that a service may well end with. */
const mendableCode = 4;

/**
 * The product's unit files on a machine, with a stand-in for the worker that behaves as `behave` says: each starts,
 * comes back after kill -9 when Restart= says so, and stays down on each code of RestartPreventExitStatus=.
 */
export function productUnits(
  units: readonly ProductUnit[],
  machine: () => TestMachine,
  behave: (behaviour: string) => void,
): void {
  describe("the product's units", () => {
    for (const unit of units) {
      test(
        `${unit.name} starts, comes back after kill -9, stays down on its codes`,
        () => checkUnit(machine(), unit, behave),
        60_000,
      );
    }
  });
}

/**
 * The compiled worker itself in each unit, confined as the unit confines it, without a configuration: it must get as
 * far as saying so (exit code 6) and stay down. A directive that keeps the program from running shows here.
 */
export function realWorker(units: readonly ProductUnit[], machine: () => TestMachine): void {
  const missing = existsSync(builtWorker) ? undefined : "dist/roundtrip-worker is not built (make build)";
  describe("the compiled worker in the product's units", () => {
    for (const unit of units) {
      const name = `${unit.name} runs it and stays down without a configuration`;
      if (missing && process.env.REQUIRE_ALL !== "1") test.skip(`${name}: skipped, ${missing}`, () => {});
      else test(name, () => checkWorker(machine(), unit), 60_000);
    }
  });
}

async function checkWorker(machine: TestMachine, unit: ProductUnit): Promise<void> {
  await installUnit(machine, unit, machine.path(`${workerFolder}/roundtrip-worker`));
  for (const path of unit.environmentFiles)
    machine.write(path, "ROUNDTRIP_CONFIG=/etc/roundtrip/nothing.json\n");
  await machine.systemctl("start", "--no-block", unit.name);
  const sub = await waitFor(
    machine,
    unit.name,
    "SubState",
    (value) => value === "failed" || value === "auto-restart",
  );
  const { Result, ExecMainStatus } = await show(machine, unit.name, "Result", "ExecMainStatus");
  expect({ sub, Result, ExecMainStatus }).toEqual({
    sub: "failed",
    Result: "exit-code",
    ExecMainStatus: "6",
  });
  expect((await machine.output(unit.name)).join("\n")).toContain("nothing.json");
}

async function checkUnit(
  machine: TestMachine,
  unit: ProductUnit,
  behave: (behaviour: string) => void,
): Promise<void> {
  await installUnit(machine, unit);
  expect(await machine.complaints(unit.name)).toEqual([]);
  behave("run");
  await machine.systemctl("start", "--no-block", unit.name);
  // A oneshot is "activating" for as long as it works.
  const running = unit.type === "oneshot" ? "activating" : "active";
  await waitFor(machine, unit.name, "ActiveState", running);
  const first = await waitFor(machine, unit.name, "MainPID", (pid) => pid !== "0");
  await machine.signal(Number(first), "KILL");
  if (unit.restart === "no") {
    await waitFor(machine, unit.name, "ActiveState", "failed");
  } else {
    await waitFor(machine, unit.name, "NRestarts", "1");
    const second = await waitFor(machine, unit.name, "MainPID", (pid) => pid !== "0" && pid !== first);
    expect(second).not.toBe(first);
    await waitFor(machine, unit.name, "ActiveState", running);
  }
  await machine.systemctl("stop", unit.name);
  for (const code of unit.preventedCodes)
    expect(await endWith(machine, unit, code, behave)).toEqual({ code, sub: "failed" });
  if (unit.restart !== "no") {
    expect(await endWith(machine, unit, mendableCode, behave)).toEqual({
      code: mendableCode,
      sub: "auto-restart",
    });
  }
  await machine.systemctl("stop", unit.name);
}

/** How systemd leaves the unit after its program ended with a code. */
async function endWith(
  machine: TestMachine,
  unit: ProductUnit,
  code: number,
  behave: (behaviour: string) => void,
): Promise<{ code: number; sub: string }> {
  await machine.systemctl("stop", unit.name);
  await machine.systemctl("reset-failed", unit.name);
  behave(String(code));
  await machine.systemctl("start", unit.name);
  const sub = await waitFor(
    machine,
    unit.name,
    "SubState",
    (value) => value === "failed" || value === "auto-restart",
  );
  return { code: Number((await show(machine, unit.name, "ExecMainStatus")).ExecMainStatus), sub };
}

async function installUnit(machine: TestMachine, unit: ProductUnit, program?: string): Promise<void> {
  machine.write(`/etc/systemd/system/${unit.name}`, unit.text);
  // The policy stays the unit's own; only the wait and the start limit are those of a test.
  machine.write(
    `/etc/systemd/system/${unit.name}.d/test.conf`,
    "[Unit]\nStartLimitBurst=100\n[Service]\nRestartSec=400ms\n",
  );
  const folder = machine.path(programFolder);
  const command = program ? `${program} "$@"` : `${folder}/bun ${folder}/unit-program.js worker "$@"`;
  machine.write(unit.program, `#!/bin/sh\nexec ${command}\n`, 0o755);
  for (const path of unit.environmentFiles) if (machine.read(path) === undefined) machine.write(path, "");
  expect((await machine.systemctl("daemon-reload")).status).toBe(0);
}
