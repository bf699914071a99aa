import { expect } from "bun:test";
import { install, show, unitName, waitFor, waitUntil } from "../machine.ts";
import type { Scenario } from "./scenario.ts";

export const restarts: readonly Scenario[] = [
  {
    name: "Restart=on-failure brings a killed service back, with a new process",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("killed"),
        "[Service]\nExecStart={program} run\nRestart=on-failure\nRestartSec=200ms",
      );
      await machine.systemctl("start", unit);
      const first = (await show(machine, unit, "MainPID")).MainPID;
      await machine.signal(Number(first), "KILL");
      await waitFor(machine, unit, "NRestarts", "1");
      await waitFor(machine, unit, "ActiveState", "active");
      expect((await show(machine, unit, "MainPID")).MainPID).not.toBe(first);
      await machine.systemctl("stop", unit);
    },
  },
  {
    name: "RestartPreventExitStatus= keeps a service down on its codes and on no other",
    async run(machine) {
      const text = (code: number) =>
        `[Service]\nExecStart={program} exit ${code}\nRestart=on-failure\nRestartSec=100ms\nRestartPreventExitStatus=10 11 SIGKILL`;
      for (const code of [10, 11]) {
        const unit = await install(machine, unitName(`prevented-${code}`), text(code));
        await machine.systemctl("start", unit);
        await waitFor(machine, unit, "ActiveState", "failed");
        await Bun.sleep(400);
        expect(await show(machine, unit, "ActiveState", "NRestarts", "ExecMainStatus")).toEqual({
          ActiveState: "failed",
          NRestarts: "0",
          ExecMainStatus: String(code),
        });
      }
      const other = await install(machine, unitName("other-code"), text(4));
      await machine.systemctl("start", other);
      await waitFor(machine, other, "NRestarts", (value) => Number(value) >= 1);
      await machine.systemctl("stop", other);
    },
  },
  {
    name: "a clean end restarts under always, not under on-failure",
    async run(machine) {
      const always = await install(
        machine,
        unitName("always"),
        "[Service]\nExecStart={program} exit 0\nRestart=always\nRestartSec=100ms",
      );
      const failure = await install(
        machine,
        unitName("on-failure"),
        "[Service]\nExecStart={program} exit 0\nRestart=on-failure\nRestartSec=100ms",
      );
      await machine.systemctl("start", always);
      await machine.systemctl("start", failure);
      await waitFor(machine, always, "NRestarts", (value) => Number(value) >= 1);
      await waitFor(machine, failure, "ActiveState", "inactive");
      expect((await show(machine, failure, "NRestarts")).NRestarts).toBe("0");
      await machine.systemctl("stop", always);
      expect((await show(machine, always, "ActiveState")).ActiveState).toBe("inactive");
    },
  },
  {
    name: "a service stopped by hand isn't restarted, also between two tries",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("by-hand"),
        "[Service]\nExecStart={program} exit 1\nRestart=always\nRestartSec=1h",
      );
      await machine.systemctl("start", unit);
      await waitFor(machine, unit, "SubState", "auto-restart");
      expect((await show(machine, unit, "ActiveState")).ActiveState).toBe("activating");
      expect((await machine.systemctl("stop", unit)).status).toBe(0);
      expect((await show(machine, unit, "SubState")).SubState).toBe("dead");
    },
  },
  {
    name: "the start limit ends a loop of failures; reset-failed opens it again",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("limit"),
        "[Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3\n[Service]\nExecStart={program} exit 1\nRestart=on-failure\nRestartSec=50ms",
      );
      await machine.systemctl("start", unit);
      await waitFor(machine, unit, "NRestarts", "3");
      await waitFor(machine, unit, "ActiveState", "failed");
      expect((await show(machine, unit, "NRestarts")).NRestarts).toBe("3");
      const refused = await machine.systemctl("start", unit);
      expect(refused.status).toBe(1);
      expect(refused.stderr).toContain('See "systemctl status');
      // What made it fail is kept; that the limit was hit stands in the journal only.
      expect((await show(machine, unit, "Result")).Result).toBe("exit-code");
      expect((await machine.systemctl("reset-failed", unit)).status).toBe(0);
      expect((await show(machine, unit, "ActiveState")).ActiveState).toBe("inactive");
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      await machine.systemctl("stop", unit);
    },
  },
  {
    name: "OnFailure= starts its unit once the service is given up",
    async run(machine) {
      const alarm = await install(
        machine,
        unitName("alarm"),
        "[Service]\nType=oneshot\nExecStart={program} say alarm",
      );
      const unit = await install(
        machine,
        unitName("failing"),
        `[Unit]\nOnFailure=${alarm}\n[Service]\nExecStart={program} exit 10\nRestart=on-failure\nRestartPreventExitStatus=10`,
      );
      await machine.systemctl("start", unit);
      await waitUntil("the alarm ran", async () => (await machine.output(alarm)).includes("[alarm]"));
    },
  },
  {
    name: "a start that fails is tried again under Restart=; starting by hand counts anew",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("retry"),
        "[Service]\nType=notify\nExecStart={program} exit 4 50\nRestart=on-failure\nRestartSec=100ms\nRestartPreventExitStatus=10",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(1);
      await waitFor(machine, unit, "NRestarts", (value) => Number(value) >= 1);
      await machine.systemctl("stop", unit);
      await machine.systemctl("reset-failed", unit);
      await machine.systemctl("start", "--no-block", unit);
      expect(Number((await show(machine, unit, "NRestarts")).NRestarts)).toBeLessThanOrEqual(1);
      await machine.systemctl("stop", unit);
    },
  },
  {
    name: "Restart=on-abnormal minds a signal and not an exit code",
    async run(machine) {
      const text = (verb: string) =>
        `[Service]\nExecStart={program} ${verb}\nRestart=on-abnormal\nRestartSec=1h`;
      const code = await install(machine, unitName("abnormal-code"), text("exit 1"));
      const signal = await install(machine, unitName("abnormal-signal"), text("die SIGSEGV"));
      await machine.systemctl("start", code);
      await machine.systemctl("start", signal);
      await waitFor(machine, code, "ActiveState", "failed");
      await waitFor(machine, signal, "SubState", "auto-restart");
      expect((await show(machine, signal, "ExecMainStatus")).ExecMainStatus).toBe("11");
      await machine.systemctl("stop", signal);
    },
  },
  {
    name: "a oneshot that fails is tried again under Restart=on-failure",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("oneshot-retry"),
        "[Service]\nType=oneshot\nExecStart={program} exit 4\nRestart=on-failure\nRestartSec=100ms\nRestartPreventExitStatus=10",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(1);
      await waitFor(machine, unit, "NRestarts", (value) => Number(value) >= 1);
      await machine.systemctl("stop", unit);
    },
  },
];
