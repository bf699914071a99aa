import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { LoadedUnit } from "./unit-loader.ts";

const kinds = { wantedBy: "wants", requiredBy: "requires" } as const;

/** Enables a unit the way systemctl does: a link in `<target>.wants/` for each WantedBy=. Returns the links made. */
export function enableUnit(folder: string, unit: LoadedUnit): string[] {
  return linksOf(folder, unit).filter((link) => {
    if (lstatSync(link, { throwIfNoEntry: false })) return false;
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(`/etc/systemd/system/${unit.name}`, link);
    return true;
  });
}

/** Takes the links of a unit away; returns those removed. */
export function disableUnit(folder: string, unit: LoadedUnit): string[] {
  return linksOf(folder, unit).filter((link) => {
    const existed = lstatSync(link, { throwIfNoEntry: false }) !== undefined;
    rmSync(link, { force: true });
    return existed;
  });
}

/** `enabled`, `disabled`, or `static` for a unit that names no target. */
export function unitFileState(folder: string, unit: LoadedUnit): "enabled" | "disabled" | "static" {
  const links = linksOf(folder, unit);
  if (links.length === 0) return "static";
  return links.some((link) => lstatSync(link, { throwIfNoEntry: false })) ? "enabled" : "disabled";
}

/** The units a boot starts: everything linked into any target's `.wants` or `.requires`. */
export function bootUnits(folder: string): string[] {
  const names = new Set<string>();
  for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
    if (!/\.target\.(wants|requires)$/.test(entry)) continue;
    for (const name of readdirSync(join(folder, entry))) names.add(name);
  }
  return [...names].sort();
}

function linksOf(folder: string, unit: LoadedUnit): string[] {
  return (Object.keys(kinds) as (keyof typeof kinds)[]).flatMap((key) =>
    unit.unit[key].map((target) => join(folder, `${target}.${kinds[key]}`, unit.name)),
  );
}
