import { expect } from "bun:test";
import { install, show, unitName, waitFor, waitUntil } from "../machine.ts";
import type { Scenario } from "./scenario.ts";

export const lifecycle: readonly Scenario[] = [
  {
    name: "a simple service starts, is active, stops without a trace",
    async run(machine) {
      const unit = await install(machine, unitName("simple"), "[Service]\nExecStart={program} run");
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      const { ActiveState, SubState, MainPID } = await show(
        machine,
        unit,
        "ActiveState",
        "SubState",
        "MainPID",
      );
      expect([ActiveState, SubState]).toEqual(["active", "running"]);
      expect(await machine.systemctl("is-active", unit)).toMatchObject({ stdout: "active\n", status: 0 });
      expect((await machine.systemctl("status", unit)).status).toBe(0);
      expect((await machine.systemctl("stop", unit)).status).toBe(0);
      expect(await show(machine, unit, "ActiveState", "SubState", "Result", "MainPID")).toEqual({
        ActiveState: "inactive",
        SubState: "dead",
        Result: "success",
        MainPID: "0",
      });
      expect(await machine.isAlive(Number(MainPID))).toBe(false);
      expect(await machine.systemctl("is-active", unit)).toMatchObject({ stdout: "inactive\n", status: 3 });
      expect((await machine.systemctl("status", unit)).status).toBe(3);
    },
  },
  {
    name: "Type=exec reports a program that isn't there at start, Type=simple only afterwards",
    async run(machine) {
      const exec = await install(
        machine,
        unitName("exec"),
        "[Service]\nType=exec\nExecStart=/opt/conformance/nothing",
      );
      const simple = await install(
        machine,
        unitName("late"),
        "[Service]\nExecStart=/opt/conformance/nothing",
      );
      expect((await machine.systemctl("start", exec)).status).toBe(1);
      expect((await machine.systemctl("start", simple)).status).toBe(0);
      for (const unit of [exec, simple]) {
        await waitFor(machine, unit, "ActiveState", "failed");
        expect(await show(machine, unit, "Result", "ExecMainStatus")).toEqual({
          Result: "exit-code",
          ExecMainStatus: "203",
        });
        expect((await machine.systemctl("is-failed", unit)).status).toBe(0);
      }
    },
  },
  {
    name: "an exit code after SIGTERM fails the unit unless SuccessExitStatus= names it",
    async run(machine) {
      const bad = await install(machine, unitName("term-bad"), "[Service]\nExecStart={program} run 20");
      const good = await install(
        machine,
        unitName("term-good"),
        "[Service]\nExecStart={program} run 20\nSuccessExitStatus=20",
      );
      for (const unit of [bad, good]) {
        await machine.systemctl("start", unit);
        await waitUntil("it runs", async () => (await machine.output(unit)).includes("running"));
        await machine.systemctl("stop", unit);
      }
      expect(await show(machine, bad, "ActiveState", "Result", "ExecMainStatus")).toEqual({
        ActiveState: "failed",
        Result: "exit-code",
        ExecMainStatus: "20",
      });
      expect(await show(machine, good, "ActiveState", "Result")).toEqual({
        ActiveState: "inactive",
        Result: "success",
      });
    },
  },
  {
    name: "a service that ignores SIGTERM is killed after TimeoutStopSec=",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("stubborn"),
        "[Service]\nExecStart={program} stubborn\nTimeoutStopSec=1",
      );
      await machine.systemctl("start", unit);
      await waitUntil("it runs", async () => (await machine.output(unit)).includes("running"));
      await machine.systemctl("stop", unit);
      expect(await machine.output(unit)).toContain("not now");
      expect(await show(machine, unit, "ActiveState", "Result", "ExecMainCode", "ExecMainStatus")).toEqual({
        ActiveState: "failed",
        Result: "timeout",
        ExecMainCode: "2",
        ExecMainStatus: "9",
      });
    },
  },
  {
    name: "stopping ends every process of the control group, also one with a session of its own",
    async run(machine) {
      for (const [child, killMode] of [
        ["gentle", "control-group"],
        ["stubborn", "mixed"],
      ] as const) {
        const unit = await install(
          machine,
          unitName("family"),
          `[Service]\nExecStart={program} family ${child}\nKillMode=${killMode}\nTimeoutStopSec=5`,
        );
        await machine.systemctl("start", unit);
        await waitUntil("the child runs", async () => (await machine.output(unit)).length > 0);
        const pid = Number((await machine.output(unit))[0]!.split(" ")[1]);
        expect(await machine.isAlive(pid)).toBe(true);
        await machine.systemctl("stop", unit);
        expect(await machine.isAlive(pid)).toBe(false);
        expect((await show(machine, unit, "Result")).Result).toBe("success");
      }
    },
  },
  {
    name: "a oneshot is started when it is done; RemainAfterExit= keeps it active",
    async run(machine) {
      const plain = await install(
        machine,
        unitName("oneshot"),
        "[Service]\nType=oneshot\nExecStart={program} exit 0 300",
      );
      const kept = await install(
        machine,
        unitName("kept"),
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart={program} say one\nExecStart={program} say two",
      );
      const broken = await install(
        machine,
        unitName("broken"),
        "[Service]\nType=oneshot\nExecStart={program} exit 7\nExecStart={program} say never",
      );
      const began = performance.now();
      expect((await machine.systemctl("start", plain)).status).toBe(0);
      expect(performance.now() - began).toBeGreaterThan(290);
      expect(await show(machine, plain, "ActiveState", "Result")).toEqual({
        ActiveState: "inactive",
        Result: "success",
      });
      expect((await machine.systemctl("start", kept)).status).toBe(0);
      expect(await show(machine, kept, "ActiveState", "SubState")).toEqual({
        ActiveState: "active",
        SubState: "exited",
      });
      expect(await machine.output(kept)).toEqual(["[one]", "[two]"]);
      await machine.systemctl("stop", kept);
      expect((await show(machine, kept, "ActiveState")).ActiveState).toBe("inactive");
      expect((await machine.systemctl("start", broken)).status).toBe(1);
      expect(await show(machine, broken, "ActiveState", "ExecMainStatus")).toEqual({
        ActiveState: "failed",
        ExecMainStatus: "7",
      });
      expect(await machine.output(broken)).toEqual([]);
    },
  },
  {
    name: "start --no-block returns before a oneshot is done",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("no-block"),
        "[Service]\nType=oneshot\nExecStart={program} exit 0 1500",
      );
      const began = performance.now();
      expect((await machine.systemctl("start", "--no-block", unit)).status).toBe(0);
      expect(performance.now() - began).toBeLessThan(1400);
      expect((await show(machine, unit, "ActiveState")).ActiveState).toBe("activating");
      await waitFor(machine, unit, "ActiveState", "inactive");
    },
  },
  {
    name: "ExecStartPre, ExecStartPost, ExecStop and ExecStopPost run around the service; a dash forgives",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("phases"),
        `[Service]
ExecStartPre=-{program} exit 9
ExecStartPre={program} say before
ExecStart={program} run
ExecStartPost={program} say after
ExecStop=/bin/sh -c 'echo "stop $MAINPID"'
ExecStopPost=/bin/sh -c 'echo "post $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS"'`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      const pid = (await show(machine, unit, "MainPID")).MainPID;
      await waitUntil("it runs", async () => (await machine.output(unit)).includes("running"));
      await machine.systemctl("stop", unit);
      const lines = await machine.output(unit);
      expect(lines.filter((line) => line !== "running")).toEqual([
        "[before]",
        "[after]",
        `stop ${pid}`,
        "post success killed TERM",
      ]);
    },
  },
  {
    name: "a failing ExecStartPre= fails the start",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("pre"),
        "[Service]\nExecStartPre={program} exit 5\nExecStart={program} say never",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(1);
      expect(await show(machine, unit, "ActiveState", "Result")).toEqual({
        ActiveState: "failed",
        Result: "exit-code",
      });
      expect(await machine.output(unit)).toEqual([]);
    },
  },
  {
    name: "systemctl kill signals the main process or all of them",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("signalled"),
        "[Service]\nExecStart={program} family gentle\nKillMode=process",
      );
      await machine.systemctl("start", unit);
      await waitUntil("the child runs", async () => (await machine.output(unit)).length > 0);
      const child = Number((await machine.output(unit))[0]!.split(" ")[1]);
      const main = Number((await show(machine, unit, "MainPID")).MainPID);
      expect((await machine.systemctl("kill", "--kill-whom=main", "--signal=SIGTERM", unit)).status).toBe(0);
      await waitUntil("the main process is gone", async () => !(await machine.isAlive(main)));
      expect(await machine.isAlive(child)).toBe(true);
      await machine.signal(child, "KILL");
      await waitFor(machine, unit, "ActiveState", "inactive");
    },
  },
  {
    name: "what a service leaves running is ended after its main process",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("orphan"),
        "[Service]\nExecStart=/bin/sh -c 'setsid sleep 600 & echo $!; sleep 0.3'",
      );
      await machine.systemctl("start", unit);
      await waitFor(machine, unit, "ActiveState", "inactive");
      const pid = Number((await machine.output(unit))[0]);
      expect(pid).toBeGreaterThan(1);
      await waitUntil("the orphan is gone", async () => !(await machine.isAlive(pid)));
    },
  },
];
