import { expect } from "bun:test";
import { install, show, unitName, waitFor } from "../machine.ts";
import type { Scenario } from "./scenario.ts";

export const notification: readonly Scenario[] = [
  {
    name: "Type=notify is started when READY=1 comes; STATUS= can be read",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("ready"),
        "[Service]\nType=notify\nExecStart={program} notify 500",
      );
      const began = performance.now();
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(performance.now() - began).toBeGreaterThan(490);
      await waitFor(machine, unit, "StatusText", "at work");
      expect((await show(machine, unit, "SubState")).SubState).toBe("running");
      await machine.systemctl("stop", unit);
    },
  },
  {
    name: "Type=notify that ends before READY=1 has broken the protocol",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("unready"),
        "[Service]\nType=notify\nExecStart={program} exit 0 100",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(1);
      expect(await show(machine, unit, "ActiveState", "Result")).toEqual({
        ActiveState: "failed",
        Result: "protocol",
      });
    },
  },
  {
    name: "Type=notify that takes longer than TimeoutStartSec= is ended",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("slow"),
        "[Service]\nType=notify\nExecStart={program} notify 60000\nTimeoutStartSec=1",
      );
      const started = await machine.systemctl("start", unit);
      expect(started.status).toBe(1);
      expect(started.stderr).toContain("a timeout was exceeded");
      expect(await show(machine, unit, "ActiveState", "Result")).toEqual({
        ActiveState: "failed",
        Result: "timeout",
      });
    },
  },
  {
    name: "a service that stops pinging is ended by its watchdog and restarted",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("watchdog"),
        "[Service]\nType=notify\nExecStart={program} notify 0 2500\nWatchdogSec=1500ms\nRestart=on-failure\nRestartSec=30s",
      );
      await machine.systemctl("start", unit);
      await Bun.sleep(2000);
      expect((await show(machine, unit, "ActiveState")).ActiveState).toBe("active");
      await waitFor(machine, unit, "SubState", "auto-restart");
      expect((await show(machine, unit, "Result")).Result).toBe("watchdog");
      await machine.systemctl("stop", unit);
    },
  },
  {
    name: "WATCHDOG_USEC and WATCHDOG_PID are there for a service with a watchdog only",
    async run(machine) {
      const text = (more: string) =>
        `[Service]\n${more}ExecStart=/bin/sh -c 'echo "$WATCHDOG_USEC $$(( WATCHDOG_PID == $$$$ ))"'`;
      const watched = await install(
        machine,
        unitName("watched"),
        text("WatchdogSec=2\nRemainAfterExit=no\n"),
      );
      await machine.systemctl("start", watched);
      await waitFor(machine, watched, "ActiveState", "inactive");
      expect(await machine.output(watched)).toEqual(["2000000 1"]);
      const plain = await install(machine, unitName("unwatched"), text(""));
      await machine.systemctl("start", plain);
      await waitFor(machine, plain, "ActiveState", "inactive");
      expect(await machine.output(plain)).toEqual([" 0"]);
    },
  },
  {
    name: "STOPPING=1 shows the service as deactivating until it has ended",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("leaving"),
        "[Service]\nType=notify\nExecStart={program} leave 1200",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      await waitFor(machine, unit, "ActiveState", "deactivating");
      expect((await show(machine, unit, "SubState")).SubState).toBe("stop-sigterm");
      await waitFor(machine, unit, "ActiveState", "inactive");
      expect((await show(machine, unit, "Result")).Result).toBe("success");
    },
  },
  {
    name: "NotifyAccess=main doesn't believe a child, NotifyAccess=all does",
    async run(machine) {
      const text = (access: string) =>
        `[Service]\nType=notify\nNotifyAccess=${access}\nExecStart={program} imposter\nTimeoutStartSec=1500ms`;
      const strict = await install(machine, unitName("strict"), text("main"));
      const open = await install(machine, unitName("open"), text("all"));
      expect((await machine.systemctl("start", strict)).status).toBe(1);
      expect((await show(machine, strict, "Result")).Result).toBe("timeout");
      expect((await machine.systemctl("start", open)).status).toBe(0);
      await machine.systemctl("stop", open);
    },
  },
];
