import { expect } from "bun:test";
import { install, show, unitName } from "../machine.ts";
import type { Scenario } from "./scenario.ts";

export const dependencies: readonly Scenario[] = [
  {
    name: "Requires= with After= waits for the other unit and fails with it",
    async run(machine) {
      const base = await install(
        machine,
        unitName("base"),
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={program} exit 0 400",
      );
      const user = await install(
        machine,
        unitName("user"),
        `[Unit]\nRequires=${base}\nAfter=${base}\n[Service]\nExecStart={program} run`,
      );
      const began = performance.now();
      expect((await machine.systemctl("start", user)).status).toBe(0);
      expect(performance.now() - began).toBeGreaterThan(390);
      expect((await show(machine, base, "SubState")).SubState).toBe("exited");
      await machine.systemctl("stop", base);
      expect((await show(machine, user, "ActiveState")).ActiveState).toBe("inactive");

      const broken = await install(
        machine,
        unitName("broken-base"),
        "[Service]\nType=oneshot\nExecStart={program} exit 1",
      );
      const dependent = await install(
        machine,
        unitName("dependent"),
        `[Unit]\nRequires=${broken}\nAfter=${broken}\n[Service]\nExecStart={program} run`,
      );
      const refused = await machine.systemctl("start", dependent);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain("A dependency job");
      expect((await show(machine, dependent, "ActiveState")).ActiveState).toBe("inactive");
    },
  },
  {
    name: "Wants= doesn't mind a unit that fails or isn't there",
    async run(machine) {
      const broken = await install(
        machine,
        unitName("wanted"),
        "[Service]\nType=oneshot\nExecStart={program} exit 1",
      );
      const unit = await install(
        machine,
        unitName("wanting"),
        `[Unit]\nWants=${broken} rt-not-there.service\nAfter=${broken}\n[Service]\nExecStart={program} run`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect((await show(machine, unit, "ActiveState")).ActiveState).toBe("active");
      expect((await show(machine, broken, "ActiveState")).ActiveState).toBe("failed");
      await machine.systemctl("stop", unit);
    },
  },
  {
    name: "enable and disable make and remove the link of WantedBy=",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("enabled"),
        "[Service]\nExecStart={program} run\n[Install]\nWantedBy=multi-user.target",
      );
      expect(await machine.systemctl("is-enabled", unit)).toMatchObject({ stdout: "disabled\n", status: 1 });
      expect((await machine.systemctl("enable", unit)).status).toBe(0);
      expect(await machine.systemctl("is-enabled", unit)).toMatchObject({ stdout: "enabled\n", status: 0 });
      expect((await show(machine, unit, "UnitFileState")).UnitFileState).toBe("enabled");
      expect((await machine.systemctl("disable", unit)).status).toBe(0);
      expect((await machine.systemctl("is-enabled", unit)).status).toBe(1);
    },
  },
  {
    name: "unknown units have systemctl's own exit statuses",
    async run(machine) {
      const expected: [string[], number][] = [
        [["start"], 5],
        [["restart"], 5],
        [["stop"], 5],
        [["status"], 4],
        [["is-active"], 3],
        [["is-failed"], 1],
        [["kill"], 1],
        [["reset-failed"], 1],
        [["enable"], 1],
        [["disable"], 1],
        [["is-enabled"], 1],
        [["cat"], 1],
        [["show", "-p", "LoadState"], 0],
      ];
      for (const [verb, status] of expected) {
        const answer = await machine.systemctl(...verb, "rt-not-there.service");
        expect([verb[0], answer.status]).toEqual([verb[0], status]);
      }
      expect(await show(machine, "rt-not-there.service", "LoadState", "ActiveState")).toEqual({
        LoadState: "not-found",
        ActiveState: "inactive",
      });
    },
  },
  {
    name: "a unit that contradicts itself isn't loaded",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("contradiction"),
        "[Service]\nType=oneshot\nRestart=always\nExecStart={program} exit 0",
      );
      expect((await show(machine, unit, "LoadState")).LoadState).toBe("bad-setting");
      expect((await machine.systemctl("start", unit)).status).not.toBe(0);
    },
  },
  {
    name: "a directive that doesn't exist is complained about and ignored",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("typo"),
        "[Service]\nExecStart={program} run\nRestrat=always",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect((await machine.complaints(unit)).join("\n")).toContain(
        "Unknown key 'Restrat' in section [Service], ignoring.",
      );
      await machine.systemctl("stop", unit);
    },
  },
];
