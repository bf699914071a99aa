import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { install, show, unitName, waitFor, waitUntil } from "../machine.ts";
import type { Scenario } from "./scenario.ts";

export const surroundings: readonly Scenario[] = [
  {
    name: "Environment= and EnvironmentFile= with systemd's quoting; the file wins; a dash makes it optional",
    async run(machine) {
      const name = unitName("environment");
      machine.write(
        `/etc/rt-test/${name}.env`,
        [
          "# comment",
          "; another",
          "PLAIN=one two  ",
          'QUOTED="a \\"b\\" $HOME"',
          "SINGLE='x\\ny'",
          "export EXPORTED=yes",
          "JOINED=a\\",
          "b",
          "FROM=file",
          "EMPTY=",
        ].join("\n"),
      );
      const names = [
        "PLAIN",
        "QUOTED",
        "SINGLE",
        "EXPORTED",
        "JOINED",
        "FROM",
        "EMPTY",
        "SPACED",
        "ESCAPED",
        "MISSING",
      ];
      const unit = await install(
        machine,
        name,
        `[Service]
Type=oneshot
Environment=FROM=unit "SPACED=two words" ESCAPED=tab\\there
EnvironmentFile=-/etc/rt-test/nothing.env
EnvironmentFile=/etc/rt-test/${name}.env
ExecStart={program} environment ${names.join(" ")}`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(await machine.output(unit)).toEqual([
        "PLAIN=one two",
        'QUOTED=a "b" $HOME',
        "SINGLE=x\\ny",
        "EXPORTED=(unset)",
        "JOINED=ab",
        "FROM=file",
        "EMPTY=",
        "SPACED=two words",
        "ESCAPED=tab\there",
        "MISSING=(unset)",
      ]);
    },
  },
  {
    name: "a required EnvironmentFile= that isn't there fails the start before anything runs",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("no-file"),
        "[Service]\nEnvironmentFile=/etc/rt-test/nothing.env\nExecStart={program} say never",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(1);
      expect(await show(machine, unit, "ActiveState", "Result")).toEqual({
        ActiveState: "failed",
        Result: "resources",
      });
    },
  },
  {
    name: "LoadCredential= and SetCredential= give files; a missing one is exit status 243",
    async run(machine) {
      const name = unitName("credentials");
      machine.write(`/etc/rt-test/${name}.secret`, "hush", 0o600);
      const unit = await install(
        machine,
        name,
        `[Service]\nType=oneshot\nLoadCredential=password:/etc/rt-test/${name}.secret\nSetCredential=user:app\nExecStart={program} credentials`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(await machine.output(unit)).toEqual(["password=hush", "user=app"]);
      const missing = await install(
        machine,
        unitName("no-credential"),
        "[Service]\nType=oneshot\nLoadCredential=password:/etc/rt-test/nothing\nExecStart={program} say never",
      );
      expect((await machine.systemctl("start", missing)).status).toBe(1);
      expect(await show(machine, missing, "Result", "ExecMainStatus")).toEqual({
        Result: "exit-code",
        ExecMainStatus: "243",
      });
    },
  },
  {
    name: "StateDirectory= stays, RuntimeDirectory= goes with the service",
    async run(machine) {
      const name = unitName("folders");
      const unit = await install(
        machine,
        name,
        `[Service]\nType=oneshot\nRemainAfterExit=yes\nStateDirectory=${name} ${name}/deep\nRuntimeDirectory=${name}\nExecStart=/bin/sh -c 'touch $STATE_DIRECTORY_FIRST; for d in $(echo "$STATE_DIRECTORY" | tr : " ") $RUNTIME_DIRECTORY; do echo here > $d/mark; done'\nEnvironment=STATE_DIRECTORY_FIRST=/dev/null`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(machine.read(`/var/lib/${name}/mark`)).toBe("here\n");
      expect(machine.read(`/var/lib/${name}/deep/mark`)).toBe("here\n");
      expect(machine.read(`/run/${name}/mark`)).toBe("here\n");
      await machine.systemctl("stop", unit);
      expect(machine.read(`/var/lib/${name}/mark`)).toBe("here\n");
      expect(machine.read(`/run/${name}/mark`)).toBeUndefined();
    },
  },
  {
    name: "words, quotes, variables and specifiers of a command line",
    async run(machine) {
      const name = unitName("words");
      const unit = await install(
        machine,
        name,
        `[Service]\nType=oneshot\nEnvironment="MANY=a b" ONE=x\nExecStart={program} say "two words" 'it''s' $MANY \${MANY} pre\${ONE}post $$ONE \${NOTHING} $NOTHING %% %N %n end\\x21`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(await machine.output(unit)).toEqual([
        `[two words][its][a][b][a b][prexpost][$ONE][][%][${name}][${name}.service][end!]`,
      ]);
    },
  },
  {
    name: "nothing of the manager's own environment leaks into a service",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("leak"),
        "[Service]\nType=oneshot\nExecStart={program} environment ROUNDTRIP_CONFORMANCE_LEAK NOTIFY_SOCKET INVOCATION_ID_MISSING",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(await machine.output(unit)).toEqual([
        "ROUNDTRIP_CONFORMANCE_LEAK=(unset)",
        "NOTIFY_SOCKET=(unset)",
        "INVOCATION_ID_MISSING=(unset)",
      ]);
    },
  },
  {
    name: "a drop-in changes a unit after daemon-reload",
    async run(machine) {
      const name = unitName("drop-in");
      const unit = await install(
        machine,
        name,
        "[Service]\nType=oneshot\nEnvironment=WHO=unit\nExecStart={program} environment WHO",
      );
      await machine.systemctl("start", unit);
      machine.write(`/etc/systemd/system/${unit}.d/override.conf`, "[Service]\nEnvironment=WHO=drop-in\n");
      await machine.systemctl("daemon-reload");
      await machine.systemctl("start", unit);
      expect(await machine.output(unit)).toEqual(["WHO=unit", "WHO=drop-in"]);
    },
  },
  {
    name: "ConditionPathExists= that doesn't hold skips the start without failing",
    async run(machine) {
      const unit = await install(
        machine,
        unitName("condition"),
        "[Unit]\nConditionPathExists=/etc/rt-test/not-there\n[Service]\nExecStart={program} say never",
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect((await show(machine, unit, "ActiveState")).ActiveState).toBe("inactive");
      expect(await machine.output(unit)).toEqual([]);
    },
  },
  {
    name: "a timer starts its unit, and again after each run",
    async run(machine) {
      const name = unitName("ticking");
      const unit = await install(machine, name, "[Service]\nType=oneshot\nExecStart={program} say tick");
      const timer = await install(
        machine,
        `${name}.timer`,
        "[Timer]\nOnActiveSec=500ms\nOnUnitActiveSec=700ms\nAccuracySec=1ms",
      );
      await machine.systemctl("start", timer);
      expect((await show(machine, timer, "ActiveState")).ActiveState).toBe("active");
      expect((await machine.output(unit)).length).toBe(0);
      await waitFor(machine, unit, "ExecMainStartTimestamp", (value) => value !== "");
      const until = Date.now() + 10_000;
      while ((await machine.output(unit)).length < 3 && Date.now() < until) await Bun.sleep(50);
      await machine.systemctl("stop", timer);
      const seen = (await machine.output(unit)).length;
      expect(seen).toBeGreaterThanOrEqual(3);
      await Bun.sleep(1000);
      expect((await machine.output(unit)).length).toBeLessThanOrEqual(seen + 1);
    },
  },
  {
    name: "a calendar timer knows its next moment",
    async run(machine) {
      const name = unitName("calendar");
      await install(machine, name, "[Service]\nType=oneshot\nExecStart={program} say tick");
      const timer = await install(
        machine,
        `${name}.timer`,
        "[Timer]\nOnCalendar=*-*-* 03:30:00 UTC\nPersistent=true",
      );
      await machine.systemctl("start", timer);
      const { NextElapseUSecRealtime } = await show(machine, timer, "NextElapseUSecRealtime");
      expect(NextElapseUSecRealtime).toMatch(/03:30:00 UTC$/);
      await machine.systemctl("stop", timer);
    },
  },
  {
    name: "another calendar from a drop-in is in force after daemon-reload, and makes up for a moment since the last run",
    async run(machine) {
      const name = unitName("rescheduled");
      const unit = await install(machine, name, "[Service]\nType=oneshot\nExecStart={program} say tick");
      const timer = await install(
        machine,
        `${name}.timer`,
        "[Timer]\nOnCalendar=*-*-* 03:30:00 UTC\nPersistent=true\nAccuracySec=1ms",
      );
      const become = async (...calendars: string[]) => {
        const lines = ["[Timer]", "OnCalendar=", ...calendars.map((each) => `OnCalendar=${each}`)];
        machine.write(`/etc/systemd/system/${timer}.d/schedule.conf`, `${lines.join("\n")}\n`);
        expect((await machine.systemctl("daemon-reload")).status).toBe(0);
      };
      await machine.systemctl("start", timer);
      await become("*-*-* 04:40:00 UTC", "Mon *-*-* 04:40:00 UTC");
      const { NextElapseUSecRealtime } = await show(machine, timer, "NextElapseUSecRealtime");
      expect(NextElapseUSecRealtime).toMatch(/04:40:00 UTC$/);
      expect(await machine.output(unit)).toEqual([]);
      await Bun.sleep(1100);
      await become("*-*-* *:*:* UTC");
      await waitUntil("the moment that has passed", async () => (await machine.output(unit)).length > 0);
      await machine.systemctl("stop", timer);
    },
  },
  {
    name: "root without its powers may write a drop-in and have systemd read its units anew",
    async run(machine) {
      const confinement = readFileSync(
        join(import.meta.dirname, "../../../services/units/backup-schedule.service"),
        "utf8",
      )
        .split("\n")
        .filter((line) => /^(Capability|NoNew|Protect|Private|Restrict.*=(AF|yes)|Lock|UMask)/.test(line))
        .join("\n");
      const name = unitName("reschedules");
      const folder = machine.path(`/etc/systemd/system/${name}.timer.d`);
      const dropIn = "[Timer]\nOnCalendar=\nOnCalendar=*-*-* 04:40:00 UTC\n";
      machine.write(`/etc/rt-test/${name}.conf`, dropIn);
      const prepared = machine.path(`/etc/rt-test/${name}.conf`);
      const idle = await install(machine, unitName("idle"), "[Service]\nType=oneshot\nExecStart=/bin/true");
      const calendar = `[Timer]\nOnCalendar=*-*-* 03:30:00 UTC\nUnit=${idle}`;
      await install(machine, `${name}.timer`, calendar);
      await machine.systemctl("start", `${name}.timer`);
      const unit = await install(
        machine,
        name,
        `[Service]\nType=oneshot\n${confinement}\nReadWritePaths=/etc/systemd/system\nExecStart=/bin/sh -c 'mkdir -p ${folder} && cp ${prepared} ${folder}/schedule.conf && systemctl daemon-reload'`,
      );
      await machine.systemctl("start", unit);
      const { Result } = await show(machine, unit, "Result");
      expect([Result, await machine.output(unit)]).toEqual(["success", []]);
      const { NextElapseUSecRealtime } = await show(machine, `${name}.timer`, "NextElapseUSecRealtime");
      expect(NextElapseUSecRealtime).toMatch(/04:40:00 UTC$/);
      await machine.systemctl("stop", `${name}.timer`);
    },
  },
  {
    name: "DynamicUser= keeps its state under private/, UnsetEnvironment= takes variables away",
    async run(machine) {
      const name = unitName("dynamic");
      const unit = await install(
        machine,
        name,
        `[Service]\nType=oneshot\nDynamicUser=yes\nStateDirectory=${name}\nEnvironment=GONE=1 KEPT=2\nUnsetEnvironment=GONE\nExecStart=/bin/sh -c 'echo "$GONE $KEPT"; echo here > "$STATE_DIRECTORY/mark"'`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(await machine.output(unit)).toEqual([" 2"]);
      expect(machine.read(`/var/lib/private/${name}/mark`)).toBe("here\n");
    },
  },
  {
    name: "PATH of a unit finds what lies below /opt first",
    async run(machine) {
      const name = unitName("path");
      machine.write(`/opt/${name}/bin/rt-tool`, "#!/bin/sh\necho found\n", 0o755);
      const unit = await install(
        machine,
        name,
        `[Service]\nType=oneshot\nEnvironment=PATH=/opt/${name}/bin:/usr/local/bin:/usr/bin:/bin\nExecStart=/bin/sh -c 'rt-tool; command -v env >/dev/null && echo env'`,
      );
      expect((await machine.systemctl("start", unit)).status).toBe(0);
      expect(await machine.output(unit)).toEqual(["found", "env"]);
    },
  },
];
