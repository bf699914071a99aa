import type { LoadedUnit } from "./unit-loader.ts";

/** The units one start request pulls in, each with those it must wait for, and how badly it needs its dependencies. */
export interface TransactionEntry {
  readonly name: string;
  readonly unit: LoadedUnit;
  readonly waitFor: readonly string[];
  readonly requires: readonly string[];
}

/**
 * Works out what starting `name` means (systemd.unit(5)): Requires=, BindsTo= and Wants= are pulled in, After= and
 * Before= order them. A unit that doesn't exist is left out when only wanted; a required one throws.
 */
export function planStart(
  name: string,
  load: (name: string) => LoadedUnit | undefined,
  warn: (message: string) => void,
): TransactionEntry[] {
  const units = new Map<string, LoadedUnit>();
  const visit = (current: string, isRequired: boolean): void => {
    if (units.has(current)) return;
    const unit = load(current);
    if (!unit) {
      if (isRequired) throw new Error(`Unit ${current} not found.`);
      return;
    }
    units.set(current, unit);
    for (const required of [...unit.unit.requires, ...unit.unit.bindsTo]) visit(required, true);
    for (const wanted of unit.unit.wants) visit(wanted, false);
  };
  visit(name, true);
  const entries = [...units.values()].map((unit) => ({
    name: unit.name,
    unit,
    requires: [...unit.unit.requires, ...unit.unit.bindsTo],
    waitFor: [...units.values()]
      .filter(
        (other) =>
          other !== unit && (unit.unit.after.includes(other.name) || other.unit.before.includes(unit.name)),
      )
      .map((other) => other.name),
  }));
  return breakCycles(entries, warn);
}

/** Orders by depth first search; an edge that closes a ring is dropped and named, as systemd does. */
function breakCycles(
  entries: readonly TransactionEntry[],
  warn: (message: string) => void,
): TransactionEntry[] {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const done = new Set<string>();
  const open = new Set<string>();
  const ordered: TransactionEntry[] = [];
  const visit = (entry: TransactionEntry): void => {
    if (done.has(entry.name)) return;
    open.add(entry.name);
    const waitFor = entry.waitFor.filter((other) => {
      if (!open.has(other)) return true;
      warn(`Found ordering cycle on ${entry.name}/start: not waiting for ${other}`);
      return false;
    });
    for (const other of waitFor) visit(byName.get(other)!);
    open.delete(entry.name);
    done.add(entry.name);
    ordered.push({ ...entry, waitFor });
  };
  for (const entry of entries) visit(entry);
  return ordered;
}
