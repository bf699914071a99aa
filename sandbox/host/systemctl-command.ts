import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { signalNumber } from "./exit-status.ts";
import { readJournal } from "./journal.ts";
import { type Manager, UnitRequestError } from "./manager.ts";
import { signalProcess } from "./processes.ts";
import type { JobResult } from "./service-status.ts";
import { formatTimestamp, propertiesOf } from "./show.ts";
import { disableUnit, enableUnit, unitFileState } from "./unit-links.ts";
import { BadUnitError, type LoadedUnit } from "./unit-loader.ts";

export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const options = {
  "no-block": { type: "boolean" },
  now: { type: "boolean" },
  all: { type: "boolean", short: "a" },
  quiet: { type: "boolean", short: "q" },
  "no-pager": { type: "boolean" },
  "no-legend": { type: "boolean" },
  plain: { type: "boolean" },
  value: { type: "boolean" },
  full: { type: "boolean", short: "l" },
  "no-ask-password": { type: "boolean" },
  system: { type: "boolean" },
  force: { type: "boolean", short: "f" },
  runtime: { type: "boolean" },
  property: { type: "string", short: "p", multiple: true },
  type: { type: "string", short: "t" },
  state: { type: "string" },
  signal: { type: "string", short: "s" },
  "kill-whom": { type: "string" },
  "kill-who": { type: "string" },
  lines: { type: "string", short: "n" },
  output: { type: "string", short: "o" },
  legend: { type: "string" },
} as const;

type Values = ReturnType<typeof parse>["values"];
interface Invocation {
  readonly manager: Manager;
  readonly units: readonly string[];
  readonly values: Values;
}
type Verb = (invocation: Invocation) => Promise<CommandOutput> | CommandOutput;

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: true });
}

const ok = (stdout = "", stderr = ""): CommandOutput => ({ stdout, stderr, status: 0 });
const failed = (status: number, stderr: string, stdout = ""): CommandOutput => ({
  stdout,
  stderr: `${stderr}\n`,
  status,
});

const verbs: Readonly<Record<string, Verb>> = {
  start,
  stop,
  restart,
  "try-restart": restart,
  "reload-or-restart": restart,
  status,
  show,
  cat,
  kill,
  enable,
  disable,
  "is-active": isActive,
  "is-failed": isFailed,
  "is-enabled": isEnabled,
  "reset-failed": resetFailed,
  "list-units": listUnits,
  "list-timers": (invocation) =>
    listUnits({ ...invocation, values: { ...invocation.values, type: "timer" } }),
  "list-unit-files": listUnitFiles,
  "is-system-running": isSystemRunning,
  "daemon-reload": ({ manager }) => {
    manager.reload();
    return ok();
  },
};

const needsUnits = new Set([
  "start",
  "stop",
  "restart",
  "try-restart",
  "reload-or-restart",
  "kill",
  "enable",
  "disable",
  "is-enabled",
  "cat",
]);

/** Does what `systemctl ARGV…` does, with systemd's words and exit statuses. */
export async function runSystemctl(manager: Manager, argv: readonly string[]): Promise<CommandOutput> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return failed(1, `systemctl: ${(error as Error).message}`);
  }
  const [verb = "list-units", ...names] = parsed.positionals;
  if (!manager.bootedAt) {
    return failed(
      1,
      "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down",
    );
  }
  const run = verbs[verb];
  if (!run) return failed(1, `Unknown command verb ${verb}.`);
  if (names.length === 0 && needsUnits.has(verb)) return failed(1, "Too few arguments.");
  const units = names.map((name) =>
    /\.(service|timer|target|socket|path|mount)$/.test(name) ? name : `${name}.service`,
  );
  try {
    return await run({ manager, units, values: parsed.values });
  } catch (error) {
    if (error instanceof UnitRequestError)
      return failed(error.status, `Failed to ${verb} ${units[0]}: ${error.message}`);
    if (error instanceof BadUnitError)
      return failed(
        1,
        `Failed to ${verb} ${units[0]}: Unit ${units[0]} has a bad unit file setting.\n${error.message}`,
      );
    throw error;
  }
}

async function start({ manager, units, values }: Invocation): Promise<CommandOutput> {
  for (const unit of units) if (!manager.load(unit)) throw new UnitRequestError(5, `Unit ${unit} not found.`);
  const jobs = units.map(async (unit) => [unit, await manager.start(unit)] as const);
  if (values["no-block"]) {
    for (const job of jobs) job.catch(() => {});
    return ok();
  }
  return reportJobs(manager, await Promise.all(jobs));
}

async function restart({ manager, units, values }: Invocation): Promise<CommandOutput> {
  for (const unit of units) if (!manager.load(unit)) throw new UnitRequestError(5, `Unit ${unit} not found.`);
  const jobs = units.map(async (unit) => {
    await manager.stop(unit);
    return [unit, await manager.start(unit)] as const;
  });
  if (values["no-block"]) return ok();
  return reportJobs(manager, await Promise.all(jobs));
}

function reportJobs(manager: Manager, results: readonly (readonly [string, JobResult])[]): CommandOutput {
  const messages = results
    .filter(([, result]) => result !== "done" && result !== "skipped")
    .map(([unit, result]) => {
      if (result === "dependency")
        return `A dependency job for ${unit} failed. See 'journalctl -xe' for details.`;
      if (result === "canceled") return `Job for ${unit} canceled.`;
      const reason =
        reasons[propertiesOf(manager, unit).Result ?? ""] ??
        "because the control process exited with error code";
      return `Job for ${unit} failed ${reason}.\nSee "systemctl status ${unit}" and "journalctl -xeu ${unit}" for details.`;
    });
  return messages.length === 0 ? ok() : failed(1, messages.join("\n"));
}

const reasons: Readonly<Record<string, string>> = {
  timeout: "because a timeout was exceeded",
  signal: "because a fatal signal was delivered to the control process",
  resources: "because of unavailable resources or another system error",
  protocol: "because the service did not take the steps required by its unit configuration",
  "start-limit-hit": "because start of the service was attempted too often",
};

async function stop({ manager, units, values }: Invocation): Promise<CommandOutput> {
  const stops = Promise.all(units.map((unit) => manager.stop(unit)));
  if (values["no-block"]) stops.catch(() => {});
  else await stops;
  return ok();
}

function isActive({ manager, units, values }: Invocation): CommandOutput {
  const states = units.map((unit) => propertiesOf(manager, unit).ActiveState!);
  return {
    stdout: values.quiet ? "" : `${states.join("\n")}\n`,
    stderr: "",
    status: states.includes("active") ? 0 : 3,
  };
}

function isFailed({ manager, units, values }: Invocation): CommandOutput {
  const states = units.map((unit) => propertiesOf(manager, unit).ActiveState!);
  return {
    stdout: values.quiet ? "" : `${states.join("\n")}\n`,
    stderr: "",
    status: states.includes("failed") ? 0 : 1,
  };
}

function isSystemRunning({ manager }: Invocation): CommandOutput {
  const degraded = [...manager.services.values()].some(({ status }) => status.activeState === "failed");
  return { stdout: degraded ? "degraded\n" : "running\n", stderr: "", status: degraded ? 1 : 0 };
}

function show({ manager, units, values }: Invocation): CommandOutput {
  const wanted = (values.property ?? []).flatMap((list) => list.split(","));
  const blocks = units.map((unit) =>
    Object.entries(propertiesOf(manager, unit))
      .filter(([key]) => wanted.length === 0 || wanted.includes(key))
      .map(([key, value]) => (values.value ? value : `${key}=${value}`))
      .join("\n"),
  );
  return ok(`${blocks.join("\n\n")}\n`);
}

function status({ manager, units, values }: Invocation): CommandOutput {
  let exit = 0;
  let stdout = "";
  let stderr = "";
  for (const unit of units) {
    const shown = propertiesOf(manager, unit);
    if (shown.LoadState === "not-found") {
      stderr += `Unit ${unit} could not be found.\n`;
      exit = 4;
      continue;
    }
    if (shown.ActiveState !== "active" && exit === 0) exit = 3;
    const mark = shown.ActiveState === "active" ? "●" : shown.ActiveState === "failed" ? "×" : "○";
    stdout += `${mark} ${unit} - ${shown.Description}\n     Loaded: ${shown.LoadState} (${shown.FragmentPath}; ${shown.UnitFileState})\n`;
    stdout += `     Active: ${shown.ActiveState} (${shown.SubState}) since ${shown.StateChangeTimestamp ?? ""}\n`;
    if (shown.MainPID !== "0" && shown.MainPID !== undefined) stdout += `   Main PID: ${shown.MainPID}\n`;
    if (shown.StatusText) stdout += `     Status: "${shown.StatusText}"\n`;
    for (const entry of readJournal(manager.journal.directory, [unit]).slice(-Number(values.lines ?? 10))) {
      stdout += `${entry.time} ${entry.stream === "systemd" ? "systemd[1]" : `${unit}[${entry.pid}]`}: ${entry.message}\n`;
    }
  }
  return { stdout, stderr, status: exit };
}

function cat({ manager, units }: Invocation): CommandOutput {
  let stdout = "";
  for (const unit of units) {
    const loaded = manager.load(unit);
    if (!loaded) return failed(1, `No files found for ${unit}.`, stdout);
    for (const file of loaded.files)
      stdout += `# ${file.slice(manager.machine.root.length)}\n${readFileSync(file, "utf8")}\n`;
  }
  return ok(stdout);
}

function kill({ manager, units, values }: Invocation): CommandOutput {
  const signal = signalNumber(/^\d+$/.test(values.signal ?? "") ? "TERM" : (values.signal ?? "SIGTERM"));
  const number = /^\d+$/.test(values.signal ?? "") ? Number(values.signal) : signal;
  for (const unit of units) {
    const service = manager.services.get(unit);
    if (!manager.load(unit)) return failed(1, `Failed to kill unit ${unit}: Unit ${unit} not loaded.`);
    const whom = values["kill-whom"] ?? values["kill-who"] ?? "all";
    const pids =
      whom === "main"
        ? [service?.status.mainPid ?? 0].filter((pid) => pid > 0)
        : (service?.run?.processes() ?? []);
    if (pids.length === 0) return failed(1, `Failed to kill unit ${unit}: No main process to kill`);
    for (const pid of pids) signalProcess(pid, number);
  }
  return ok();
}

function fileOf(manager: Manager, name: string, verb: string): LoadedUnit {
  const loaded = manager.load(name);
  if (!loaded) throw new UnitRequestError(1, `Failed to ${verb} unit: Unit file ${name} does not exist.`);
  return loaded;
}

async function enable(invocation: Invocation): Promise<CommandOutput> {
  const { manager, units, values } = invocation;
  const folder = manager.machine.at("etc/systemd/system");
  const root = manager.machine.root.length;
  const links = units.flatMap((name) =>
    enableUnit(folder, fileOf(manager, name, "enable")).map((link) => [link, name] as const),
  );
  const told = links
    .map(([link, name]) => `Created symlink ${link.slice(root)} → /etc/systemd/system/${name}.\n`)
    .join("");
  if (!values.now) return ok("", told);
  const started = await start(invocation);
  return { ...started, stderr: told + started.stderr };
}

async function disable(invocation: Invocation): Promise<CommandOutput> {
  const { manager, units, values } = invocation;
  const folder = manager.machine.at("etc/systemd/system");
  const links = units.flatMap((name) => disableUnit(folder, fileOf(manager, name, "disable")));
  if (values.now) await stop(invocation);
  return ok("", links.map((link) => `Removed "${link.slice(manager.machine.root.length)}".\n`).join(""));
}

function isEnabled({ manager, units }: Invocation): CommandOutput {
  const folder = manager.machine.at("etc/systemd/system");
  const states = units.map((name) => {
    const unit = manager.load(name);
    return unit ? unitFileState(folder, unit) : "not-found";
  });
  const on = states.some((state) => state === "enabled" || state === "static");
  if (states.includes("not-found"))
    return failed(1, `Failed to get unit file state for ${units[0]}: No such file or directory`);
  return { stdout: `${states.join("\n")}\n`, stderr: "", status: on ? 0 : 1 };
}

function resetFailed({ manager, units }: Invocation): CommandOutput {
  const chosen = units.length > 0 ? units : [...manager.services.keys()];
  for (const unit of chosen) {
    if (!manager.load(unit))
      return failed(1, `Failed to reset failed state of unit ${unit}: Unit ${unit} not loaded.`);
    manager.services.get(unit)?.resetFailed();
  }
  return ok();
}

function listUnits({ manager, units, values }: Invocation): CommandOutput {
  const rows = manager
    .unitNames()
    .filter((name) => units.length === 0 || units.includes(name))
    .map((name) => propertiesOf(manager, name))
    .filter((row) => values.type === undefined || row.Id!.endsWith(`.${values.type}`))
    .filter((row) =>
      values.state === undefined
        ? values.all || row.ActiveState !== "inactive"
        : values.state.split(",").includes(row.ActiveState!),
    );
  const lines = rows.map(
    (row) => `${row.Id} ${row.LoadState} ${row.ActiveState} ${row.SubState} ${row.Description}`,
  );
  if (values["no-legend"]) return ok(lines.map((line) => `${line}\n`).join(""));
  return ok(
    `UNIT LOAD ACTIVE SUB DESCRIPTION\n${lines.map((line) => `${line}\n`).join("")}\n${rows.length} loaded units listed, ${formatTimestamp(new Date())}.\n`,
  );
}

function listUnitFiles({ manager }: Invocation): CommandOutput {
  const folder = manager.machine.at("etc/systemd/system");
  return ok(
    manager
      .unitNames()
      .map((name) => `${name} ${unitFileState(folder, manager.load(name)!)}\n`)
      .join(""),
  );
}
