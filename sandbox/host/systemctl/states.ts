import { readJournal } from "../journal.ts";
import type { Manager } from "../manager.ts";
import { formatTimestamp, propertiesOf } from "../show.ts";
import { type CommandOutput, type Invocation, ok } from "./invocation.ts";

export function isActive({ manager, units, values }: Invocation): CommandOutput {
  const states = units.map((unit) => propertiesOf(manager, unit).ActiveState!);
  return {
    stdout: values.quiet ? "" : `${states.join("\n")}\n`,
    stderr: "",
    status: states.includes("active") ? 0 : 3,
  };
}

export function isFailed({ manager, units, values }: Invocation): CommandOutput {
  const states = units.map((unit) => propertiesOf(manager, unit).ActiveState!);
  return {
    stdout: values.quiet ? "" : `${states.join("\n")}\n`,
    stderr: "",
    status: states.includes("failed") ? 0 : 1,
  };
}

export function isSystemRunning({ manager }: Invocation): CommandOutput {
  const degraded = [...manager.services.values()].some(({ status }) => status.activeState === "failed");
  return { stdout: degraded ? "degraded\n" : "running\n", stderr: "", status: degraded ? 1 : 0 };
}

export function show({ manager, units, values }: Invocation): CommandOutput {
  const wanted = (values.property ?? []).flatMap((list) => list.split(","));
  const blocks = units.map((unit) =>
    Object.entries(propertiesOf(manager, unit))
      .filter(([key]) => wanted.length === 0 || wanted.includes(key))
      .map(([key, value]) => (values.value ? value : `${key}=${value}`))
      .join("\n"),
  );
  return ok(`${blocks.join("\n\n")}\n`);
}

export function status({ manager, units, values }: Invocation): CommandOutput {
  const shown = units.map((unit) => propertiesOf(manager, unit));
  const missing = shown.filter(({ LoadState }) => LoadState === "not-found");
  const found = shown.filter(({ LoadState }) => LoadState !== "not-found");
  const allActive = found.every(({ ActiveState }) => ActiveState === "active");
  return {
    stdout: found.map((unit) => describe(manager, unit, Number(values.lines ?? 10))).join("\n"),
    stderr: missing.map(({ Id }) => `Unit ${Id} could not be found.\n`).join(""),
    status: missing.length > 0 ? 4 : allActive ? 0 : 3,
  };
}

const marks: Readonly<Record<string, string>> = { active: "●", failed: "×" };

function describe(manager: Manager, unit: Readonly<Record<string, string>>, lines: number): string {
  const { Id = "", ActiveState = "", MainPID = "0", StatusText = "" } = unit;
  const journal = readJournal(manager.journal.directory, [Id]).slice(-lines);
  return [
    `${marks[ActiveState] ?? "○"} ${Id} - ${unit.Description}`,
    `     Loaded: ${unit.LoadState} (${unit.FragmentPath}; ${unit.UnitFileState})`,
    `     Active: ${ActiveState} (${unit.SubState}) since ${unit.StateChangeTimestamp ?? ""}`,
    ...(MainPID === "0" ? [] : [`   Main PID: ${MainPID}`]),
    ...(StatusText === "" ? [] : [`     Status: "${StatusText}"`]),
    ...journal.map(
      ({ time, stream, pid, message }) =>
        `${time} ${stream === "systemd" ? "systemd[1]" : `${Id}[${pid}]`}: ${message}`,
    ),
    "",
  ].join("\n");
}

export function listUnits({ manager, units, values }: Invocation): CommandOutput {
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
