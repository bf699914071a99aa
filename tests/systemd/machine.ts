/** A machine with systemd on it: the real one in a container, or the host stand-in. Scenarios can't tell which. */
export interface TestMachine extends AsyncDisposable {
  readonly name: string;
  /** Writes a file below the machine's root; `mode` as in chmod. */
  write(path: string, content: string, mode?: number): void;
  /** What a file holds, or `undefined`. */
  read(path: string): string | undefined;
  /** Runs `systemctl` in the machine. */
  systemctl(...argv: string[]): Promise<{ stdout: string; stderr: string; status: number }>;
  /** The lines a unit wrote, systemd's own left out. */
  output(unit: string): Promise<string[]>;
  /** What systemd finds odd about a unit's file. */
  complaints(unit: string): Promise<string[]>;
  /** A path of the machine as its processes must name it (the stand-in shares the real file system). */
  path(path: string): string;
  /** What the fixture does when it stands in for the worker: `run`, or an exit code. */
  behave(behaviour: string): void;
  /** Sends a signal to a process, by the id it has in the machine. */
  signal(pid: number, signal: string): Promise<void>;
  isAlive(pid: number): Promise<boolean>;
}

/** Where the fixture program and the bun that runs it lie in the machine. */
export const programFolder = "/opt/conformance";
const program = `${programFolder}/bun ${programFolder}/unit-program.js`;

let counter = 0;

/** A name no other scenario uses. */
export function unitName(stem: string): string {
  counter += 1;
  return `rt-${stem}-${process.pid}-${counter}`;
}

/** Writes `<name>.service` and makes systemd read it; gives the full name. `{program}` stands for the fixture. */
export async function install(machine: TestMachine, name: string, text: string): Promise<string> {
  const unit = name.includes(".") ? name : `${name}.service`;
  machine.write(`/etc/systemd/system/${unit}`, `${text.replaceAll("{program}", program).trim()}\n`);
  const reloaded = await machine.systemctl("daemon-reload");
  if (reloaded.status !== 0) throw new Error(`daemon-reload: ${reloaded.stderr}`);
  return unit;
}

/** The properties asked for, as an object. */
export async function show<Name extends string>(
  machine: TestMachine,
  unit: string,
  ...names: Name[]
): Promise<Record<Name, string>> {
  const { stdout } = await machine.systemctl("show", "-p", names.join(","), unit);
  const pairs = stdout
    .trim()
    .split("\n")
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]);
  return Object.fromEntries(pairs) as Record<Name, string>;
}

/** Waits until a property has the value (or one of them); throws with what it was last. */
export async function waitFor(
  machine: TestMachine,
  unit: string,
  property: string,
  wanted: string | ((value: string) => boolean),
  timeoutMs = 10_000,
): Promise<string> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    const value = (await show(machine, unit, property))[property]!;
    if (typeof wanted === "string" ? value === wanted : wanted(value)) return value;
    if (Date.now() > until)
      throw new Error(
        `${unit}: waited ${timeoutMs} ms for ${property} ${typeof wanted === "string" ? wanted : ""}, is ${value}`,
      );
    await Bun.sleep(30);
  }
}

export async function waitUntil(
  what: string,
  holds: () => Promise<boolean> | boolean,
  timeoutMs = 10_000,
): Promise<void> {
  const until = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await Bun.sleep(30);
  }
}
