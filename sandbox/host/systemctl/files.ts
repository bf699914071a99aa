import { readFileSync } from "node:fs";
import { disableUnit, enableUnit, unitFileState } from "../unit-links.ts";
import type { LoadedUnit } from "../unit-loader.ts";
import { type CommandOutput, failed, type Invocation, ok } from "./invocation.ts";
import { start, stop } from "./jobs.ts";

/** The units asked for; the answer of systemctl instead when one has no file. */
function filesOf({ manager, units }: Invocation, verb: string): LoadedUnit[] | CommandOutput {
  const loaded = units.map((name) => manager.load(name));
  const missing = units.find((_, index) => loaded[index] === undefined);
  if (missing !== undefined) return failed(1, `Failed to ${verb} unit: Unit file ${missing} does not exist.`);
  return loaded.filter((unit) => unit !== undefined);
}

export async function enable(invocation: Invocation): Promise<CommandOutput> {
  const { manager, values } = invocation;
  const units = filesOf(invocation, "enable");
  if ("status" in units) return units;
  const folder = manager.machine.at("etc/systemd/system");
  const root = manager.machine.root.length;
  const links = units.flatMap((unit) => enableUnit(folder, unit).map((link) => [link, unit.name] as const));
  const told = links
    .map(([link, name]) => `Created symlink ${link.slice(root)} → /etc/systemd/system/${name}.\n`)
    .join("");
  if (!values.now) return ok("", told);
  const started = await start(invocation);
  return { ...started, stderr: told + started.stderr };
}

export async function disable(invocation: Invocation): Promise<CommandOutput> {
  const { manager, values } = invocation;
  const units = filesOf(invocation, "disable");
  if ("status" in units) return units;
  const folder = manager.machine.at("etc/systemd/system");
  const links = units.flatMap((unit) => disableUnit(folder, unit));
  if (values.now) await stop(invocation);
  return ok("", links.map((link) => `Removed "${link.slice(manager.machine.root.length)}".\n`).join(""));
}

export function isEnabled({ manager, units }: Invocation): CommandOutput {
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

export function listUnitFiles({ manager }: Invocation): CommandOutput {
  const folder = manager.machine.at("etc/systemd/system");
  return ok(
    manager
      .unitNames()
      .map((name) => `${name} ${unitFileState(folder, manager.load(name)!)}\n`)
      .join(""),
  );
}

export function cat({ manager, units }: Invocation): CommandOutput {
  let stdout = "";
  for (const unit of units) {
    const loaded = manager.load(unit);
    if (!loaded) return failed(1, `No files found for ${unit}.`, stdout);
    for (const file of loaded.files)
      stdout += `# ${file.slice(manager.machine.root.length)}\n${readFileSync(file, "utf8")}\n`;
  }
  return ok(stdout);
}
