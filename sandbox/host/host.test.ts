import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type HostHandle, startHost, steerHost, systemctl } from "../up/host.ts";
import { readJournal } from "./journal.ts";
import { isAlive } from "./processes.ts";

setDefaultTimeout(30_000);
const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** An empty machine's folder; files go below it. */
function machineFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "rt-host-"));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const dir = join(folder, "machine");
  for (const [path, content] of Object.entries(files)) put(dir, path, content);
  return dir;
}

function put(dir: string, path: string, content: string): void {
  mkdirSync(dirname(join(dir, path)), { recursive: true });
  writeFileSync(join(dir, path), content);
}

async function boot(dir: string): Promise<HostHandle> {
  const host = await startHost({ dir });
  cleanups.push(() => host.stop());
  return host;
}

const unitPath = (name: string): string => `etc/systemd/system/${name}`;
const sleeper =
  "[Service]\nExecStart=/bin/sh -c 'sleep 600 & exec sleep 601'\n[Install]\nWantedBy=multi-user.target\n";

async function pidsOf(host: HostHandle, unit: string): Promise<number[]> {
  const all = (await steerHost(host, "processes")) as { unit: string; pids: number[] }[];
  return all.find((each) => each.unit === unit)?.pids ?? [];
}

async function waitUntil(holds: () => Promise<boolean> | boolean): Promise<void> {
  const until = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error("waited 10 s");
    await Bun.sleep(20);
  }
}

/** Runs a command with the machine's shims first on PATH. */
async function shell(dir: string, ...argv: string[]): Promise<{ stdout: string; status: number }> {
  const child = Bun.spawn(argv, {
    env: { PATH: `${dir}/usr/local/bin:/usr/bin:/bin` },
    stdout: "pipe",
    stderr: "pipe",
  });
  return { stdout: await child.stdout.text(), status: await child.exited };
}

test("kill -9 of the host: the next start kills what was left running, and nothing else", async () => {
  const dir = machineFolder({ [unitPath("s.service")]: sleeper });
  const host = await boot(dir);
  await systemctl(host, "start", "s");
  await waitUntil(async () => (await pidsOf(host, "s.service")).length === 2);
  const left = await pidsOf(host, "s.service");
  await host.kill();
  expect(left.every(isAlive)).toBe(true);
  // A recycled process id: recorded with another start time, so it must be spared.
  const bystander = Bun.spawn(["sleep", "600"]);
  cleanups.push(() => bystander.kill());
  const record = join(dir, "run/host/processes.jsonl");
  writeFileSync(
    record,
    `${readFileSync(record, "utf8")}${JSON.stringify({ pid: bystander.pid, startTicks: "1", invocation: "x" })}\n`,
  );
  await host.restart();
  await waitUntil(() => !left.some(isAlive));
  expect(isAlive(bystander.pid)).toBe(true);
  expect((await systemctl(host, "is-active", "s")).stdout).toBe("inactive\n");
});

test("SIGTERM to the host ends every unit in good order", async () => {
  const text = `[Service]\nExecStart=/bin/sh -c 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done'\n`;
  const dir = machineFolder({ [unitPath("s.service")]: text });
  const host = await boot(dir);
  await systemctl(host, "start", "s");
  const said = (): string[] =>
    readJournal(join(dir, "var/log/journal"), ["s.service"]).map(({ message }) => message);
  await waitUntil(() => said().includes("up"));
  const pids = await pidsOf(host, "s.service");
  await host.stop();
  expect(said()).toContain("bye");
  expect(pids.filter(isAlive)).toEqual([]);
});

test("enabled units start with the machine, also after a power cut; a power cut gives no time to say goodbye", async () => {
  const text =
    "[Service]\nExecStart=/bin/sh -c 'trap \"echo bye; exit 0\" TERM; echo up; while :; do sleep 0.05; done'\n[Install]\nWantedBy=multi-user.target\n";
  const dir = machineFolder({ [unitPath("s.service")]: text });
  const host = await boot(dir);
  await systemctl(host, "enable", "s");
  expect((await systemctl(host, "is-active", "s")).stdout).toBe("inactive\n");
  await steerHost(host, "halt", {});
  expect((await systemctl(host, "is-active", "s")).stderr).toContain("has not been booted");
  await steerHost(host, "boot", {});
  await waitUntil(async () => (await systemctl(host, "is-active", "s")).stdout === "active\n");
  const said = (): string[] =>
    readJournal(join(dir, "var/log/journal"), ["s.service"]).map(({ message }) => message);
  await waitUntil(() => said().includes("up"));
  const pids = await pidsOf(host, "s.service");
  await steerHost(host, "halt", { hard: true });
  expect(pids.filter(isAlive)).toEqual([]);
  expect(said()).not.toContain("bye");
  await steerHost(host, "boot", {});
  await waitUntil(async () => (await systemctl(host, "is-active", "s")).stdout === "active\n");
});

test("a second host on the same machine is refused", async () => {
  const dir = machineFolder();
  await boot(dir);
  expect(startHost({ dir })).rejects.toThrow("is run by process");
});

test("systemctl and journalctl on PATH speak for the machine", async () => {
  const text = "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo out; echo err >&2'\n";
  const dir = machineFolder({ [unitPath("s.service")]: text });
  await boot(dir);
  expect((await shell(dir, "systemctl", "start", "s.service")).status).toBe(0);
  expect((await shell(dir, "systemctl", "start", "nothing.service")).status).toBe(5);
  expect((await shell(dir, "systemctl", "show", "-p", "Result", "--value", "s")).stdout).toBe("success\n");
  const cat = await shell(dir, "journalctl", "-u", "s", "-o", "cat", "--no-pager");
  expect(
    cat.stdout
      .split("\n")
      .filter((line) => line === "out" || line === "err")
      .sort(),
  ).toEqual(["err", "out"]);
  const json = await shell(dir, "journalctl", "-u", "s", "-o", "json", "-n", "1");
  expect(JSON.parse(json.stdout)).toMatchObject({ UNIT: "s.service", PRIORITY: "6" });
  expect((await shell(dir, "journalctl", "-u", "s", "--since", "1 hour ago", "-o", "cat")).stdout).toBe(
    cat.stdout,
  );
  expect((await shell(dir, "journalctl", "-u", "s", "--until", "1 hour ago")).stdout).toBe(
    "-- No entries --\n",
  );
  const iso = await shell(dir, "journalctl", "-u", "s", "-n", "1", "-o", "short-iso");
  expect(iso.stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000 localhost systemd\[1\]: /);
});

test("journalctl -f goes on with what is new", async () => {
  const dir = machineFolder({
    [unitPath("s.service")]: "[Service]\nType=oneshot\nExecStart=/bin/echo again\n",
  });
  const host = await boot(dir);
  await systemctl(host, "start", "s");
  const follow = Bun.spawn([join(dir, "usr/local/bin/journalctl"), "-u", "s", "-f", "-n", "0", "-o", "cat"], {
    stdout: "pipe",
  });
  cleanups.push(() => follow.kill());
  await Bun.sleep(300);
  await systemctl(host, "start", "s");
  let seen = "";
  for await (const chunk of follow.stdout) {
    seen += new TextDecoder().decode(chunk);
    if (seen.includes("Finished")) break;
  }
  expect(seen.match(/^again$/gm)?.length).toBe(1);
});

test("an unknown directive is named in the journal; hardening isn't", async () => {
  const text =
    "[Service]\nType=oneshot\nExecStart=/bin/true\nExecStrat=/bin/false\nProtectSystem=strict\nX-Mine=1\n";
  const dir = machineFolder({ [unitPath("s.service")]: text });
  const host = await boot(dir);
  await systemctl(host, "start", "s");
  const complaints = readJournal(join(dir, "var/log/journal"), ["s.service"]).filter(({ message }) =>
    message.includes("Unknown"),
  );
  expect(complaints.map(({ message }) => message)).toEqual([
    "/etc/systemd/system/s.service:4: Unknown key 'ExecStrat' in section [Service], ignoring.",
  ]);
});

test("Persistent= makes up for the moment the machine slept through", async () => {
  const dir = machineFolder({
    [unitPath("s.service")]: "[Service]\nType=oneshot\nExecStart=/bin/echo ran\n",
    [unitPath("s.timer")]: "[Timer]\nOnCalendar=daily\nPersistent=true\n[Install]\nWantedBy=timers.target\n",
    [unitPath("t.service")]: "[Service]\nType=oneshot\nExecStart=/bin/echo ran\n",
    [unitPath("t.timer")]: "[Timer]\nOnCalendar=daily\n",
    "var/lib/systemd/timers/stamp-s.timer": "2026-01-01T00:00:00.000Z",
  });
  const host = await boot(dir);
  await systemctl(host, "enable", "--now", "s.timer");
  await systemctl(host, "start", "t.timer");
  const ran = (unit: string): boolean =>
    readJournal(join(dir, "var/log/journal"), [unit]).some(({ message }) => message === "ran");
  await waitUntil(() => ran("s.service"));
  expect(ran("t.service")).toBe(false);
  expect(readFileSync(join(dir, "var/lib/systemd/timers/stamp-s.timer"), "utf8") > "2026-11").toBe(true);
});

test("killing a unit by name needs a main process, so that no kill hits nothing", async () => {
  const dir = machineFolder({ [unitPath("s.service")]: sleeper });
  const host = await boot(dir);
  expect(steerHost(host, "kill", { unit: "s" })).rejects.toThrow("no main process");
  await systemctl(host, "start", "s");
  expect(await steerHost(host, "kill", { unit: "s" })).toMatchObject({ unit: "s.service" });
  await waitUntil(async () => (await systemctl(host, "is-failed", "s")).status === 0);
});

test("DefaultEnvironment= of the machine reaches every unit, whatever it holds", async () => {
  const text = '[Service]\nType=oneshot\nExecStart=/bin/sh -c \'printf "%%s" "$ODD" > /var/lib/odd\'\n';
  const dir = machineFolder({ [unitPath("s.service")]: text });
  const odd = `a "b" 'c' \\d 100% %n é`;
  const host = await startHost({ dir, environment: { ODD: odd } });
  cleanups.push(() => host.stop());
  expect((await systemctl(host, "start", "s")).status).toBe(0);
  expect(readFileSync(join(dir, "var/lib/odd"), "utf8")).toBe(odd);
});
