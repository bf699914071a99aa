import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isIgnoredDirective } from "./ignored-directives.ts";
import type { Machine } from "./machine.ts";
import {
  readServiceSettings,
  readUnitSettings,
  type ServiceSettings,
  SettingsReader,
  type UnitSettings,
} from "./settings.ts";
import { readTimerSettings, type TimerSettings } from "./timer-settings.ts";
import { type Assignment, parseUnitFile, splitUnitName } from "./unit-file.ts";

export interface LoadedUnit {
  readonly name: string;
  readonly unit: UnitSettings;
  readonly service?: ServiceSettings;
  readonly timer?: TimerSettings;
  /** Files read, the drop-ins after the unit itself. */
  readonly files: readonly string[];
  readonly warnings: readonly string[];
}

/** A unit whose file cannot be obeyed; `systemctl` answers "bad-setting" for it, as systemd does. */
export class BadUnitError extends Error {}

const targetsAlwaysThere = /\.target$/;

/**
 * Loads a unit with its drop-ins from `etc/systemd/system`. `undefined`: there is no such unit. Targets that have no
 * file exist all the same, since a booted system has them.
 */
export function loadUnit(machine: Machine, name: string): LoadedUnit | undefined {
  const files = unitFiles(machine, name);
  if (files.length === 0 && !targetsAlwaysThere.test(name)) return undefined;
  try {
    return read(machine, name, files);
  } catch (cause) {
    throw new BadUnitError(`${name}: ${(cause as Error).message}`, { cause });
  }
}

function unitFiles(machine: Machine, name: string): string[] {
  const folder = machine.at("etc/systemd/system");
  const { template } = splitUnitName(name);
  const main = [name, template]
    .filter((candidate) => candidate !== "")
    .map((candidate) => join(folder, candidate));
  const found = main.find((path) => existsSync(path));
  if (!found) return [];
  const dropIns = main.flatMap((path) => {
    const directory = `${path}.d`;
    return existsSync(directory)
      ? readdirSync(directory)
          .filter((file) => file.endsWith(".conf"))
          .map((file) => join(directory, file))
      : [];
  });
  const byFileName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
  return [found, ...dropIns.sort((left, right) => (byFileName(left) < byFileName(right) ? -1 : 1))];
}

function read(machine: Machine, name: string, files: readonly string[]): LoadedUnit {
  const assignments: Assignment[] = files.flatMap((file) => parseUnitFile(readFileSync(file, "utf8")));
  const { prefix, instance, type } = splitUnitName(name);
  const reader = new SettingsReader(assignments, {
    n: name,
    N: name.replace(/\.[a-z]+$/, ""),
    p: prefix,
    i: instance,
    I: instance,
    j: prefix.split("-").at(-1)!,
    t: machine.at("run"),
    S: machine.at("var/lib"),
    C: machine.at("var/cache"),
    L: machine.at("var/log"),
    E: machine.at("etc"),
    d: machine.at("run/credentials", name),
    T: machine.at("tmp"),
    V: machine.at("tmp"),
    H: "localhost",
    u: "root",
    U: "0",
    h: "/root",
    s: "/bin/sh",
  });
  const loaded = {
    name,
    files,
    unit: readUnitSettings(reader, name),
    service: type === "service" ? readServiceSettings(reader) : undefined,
    timer: type === "timer" ? readTimerSettings(reader, name) : undefined,
  };
  const warnings = reader
    .unread()
    .filter(({ section, key }) => !isIgnoredDirective(section, key))
    .map(
      ({ section, key, line }) =>
        `/etc/systemd/system/${name}:${line}: Unknown key '${key}' in section [${section}], ignoring.`,
    );
  return { ...loaded, warnings };
}
