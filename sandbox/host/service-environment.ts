import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Machine } from "./machine.ts";
import { parseAssignments, parseEnvironmentFile } from "./quoting.ts";
import type { DirectoryKind, ServiceSettings } from "./settings.ts";

const directories: Readonly<Record<DirectoryKind, { base: string; variable: string }>> = {
  state: { base: "var/lib", variable: "STATE_DIRECTORY" },
  runtime: { base: "run", variable: "RUNTIME_DIRECTORY" },
  cache: { base: "var/cache", variable: "CACHE_DIRECTORY" },
  logs: { base: "var/log", variable: "LOGS_DIRECTORY" },
  configuration: { base: "etc", variable: "CONFIGURATION_DIRECTORY" },
};

/** Preparing a run failed; `result` and `status` are what systemd reports. */
export class PrepareError extends Error {
  constructor(
    readonly result: "resources" | "exit-code",
    readonly status: number,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/**
 * Makes the folders and credentials of a service and gives the environment its processes get (systemd.exec(5)).
 * Throws PrepareError: an environment file or a credential that isn't there.
 */
export function prepareEnvironment(
  machine: Machine,
  unit: string,
  settings: ServiceSettings,
  warn: (message: string) => void,
): Record<string, string> {
  const own = { ...parseAssignments(settings.environment, warn), ...readEnvironmentFiles(machine, settings) };
  for (const [name, value] of Object.entries(own)) {
    own[name] = name === "PATH" ? machine.mapSearchPath(value) : machine.map(value);
  }
  const environment = { ...machine.baseEnvironment(), ...makeDirectories(machine, settings), ...own };
  const credentials = makeCredentials(machine, unit, settings);
  if (credentials) environment.CREDENTIALS_DIRECTORY = credentials;
  if (settings.privateTmp) {
    environment.TMPDIR = machine.at("tmp", unit);
    mkdirSync(environment.TMPDIR, { recursive: true });
  }
  for (const name of settings.unsetEnvironment) delete environment[name];
  return environment;
}

/** Removes what lives only as long as the service: credentials, runtime folders, private /tmp. */
export function releaseEnvironment(machine: Machine, unit: string, settings: ServiceSettings): void {
  rmSync(machine.at("run/credentials", unit), { recursive: true, force: true });
  rmSync(machine.at("tmp", unit), { recursive: true, force: true });
  for (const name of settings.directories.runtime)
    rmSync(machine.at("run", name), { recursive: true, force: true });
}

function readEnvironmentFiles(machine: Machine, settings: ServiceSettings): Record<string, string> {
  const result: Record<string, string> = {};
  for (const { path, optional } of settings.environmentFiles) {
    const file = machine.map(path);
    if (existsSync(file)) Object.assign(result, parseEnvironmentFile(readFileSync(file, "utf8")));
    else if (!optional)
      throw new PrepareError(
        "resources",
        0,
        `Failed to load environment files: ${path}: No such file or directory`,
      );
  }
  return result;
}

function makeDirectories(machine: Machine, settings: ServiceSettings): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [kind, { base, variable }] of Object.entries(directories)) {
    const paths = settings.directories[kind as DirectoryKind].map((name) =>
      machine.at(base, name.split(":")[0]!),
    );
    for (const path of paths)
      makeDirectory(path, settings.dynamicUser && kind !== "runtime" && kind !== "configuration");
    if (paths.length > 0) result[variable] = paths.join(":");
  }
  return result;
}

/** With DynamicUser= the folder lies in `private/` beside its name, which is a link to it. */
function makeDirectory(path: string, isPrivate: boolean): void {
  if (!isPrivate || existsSync(path)) {
    mkdirSync(path, { recursive: true });
    return;
  }
  const hidden = join(dirname(path), "private", basename(path));
  mkdirSync(hidden, { recursive: true });
  symlinkSync(join("private", basename(path)), path);
}

function makeCredentials(machine: Machine, unit: string, settings: ServiceSettings): string | undefined {
  if (settings.loadCredentials.length + settings.setCredentials.length === 0) return undefined;
  const folder = machine.at("run/credentials", unit);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const { id, value } of settings.setCredentials)
    writeFileSync(join(folder, id), value, { mode: 0o400 });
  for (const { id, path } of settings.loadCredentials) {
    const source = machine.map(path);
    const isSetToo = settings.setCredentials.some((entry) => entry.id === id);
    try {
      const content = readFileSync(source);
      rmSync(join(folder, id), { force: true });
      writeFileSync(join(folder, id), content, { mode: 0o400 });
    } catch (cause) {
      if (isSetToo) continue;
      throw new PrepareError(
        "exit-code",
        243,
        `Failed to set up credentials: ${path}: ${(cause as Error).message}`,
        { cause },
      );
    }
  }
  chmodSync(folder, 0o500);
  return folder;
}
