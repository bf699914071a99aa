import { ExitStatusSet } from "./exit-status.ts";
import { splitWords } from "./quoting.ts";
import { parseTimeSpanMs } from "./time-span.ts";
import { type Assignment, expandSpecifiers } from "./unit-file.ts";

export type ServiceType = "simple" | "exec" | "notify" | "oneshot";
export type RestartPolicy =
  | "no"
  | "always"
  | "on-success"
  | "on-failure"
  | "on-abnormal"
  | "on-abort"
  | "on-watchdog";

export interface CommandLine {
  readonly words: readonly string[];
  /** `-` before the path: a failure counts as success. */
  readonly ignoreFailure: boolean;
  /** `:` before the path turns variable expansion off. */
  readonly expand: boolean;
}

/** What every unit has: [Unit] and [Install]. */
export interface UnitSettings {
  readonly description: string;
  readonly requires: readonly string[];
  readonly wants: readonly string[];
  readonly bindsTo: readonly string[];
  readonly partOf: readonly string[];
  readonly conflicts: readonly string[];
  readonly after: readonly string[];
  readonly before: readonly string[];
  readonly onFailure: readonly string[];
  readonly onSuccess: readonly string[];
  readonly conditionPathExists: readonly string[];
  readonly startLimitIntervalMs: number;
  readonly startLimitBurst: number;
  readonly wantedBy: readonly string[];
  readonly requiredBy: readonly string[];
}

export interface ServiceSettings {
  readonly type: ServiceType;
  readonly execStart: readonly CommandLine[];
  readonly execStartPre: readonly CommandLine[];
  readonly execStartPost: readonly CommandLine[];
  readonly execStop: readonly CommandLine[];
  readonly execStopPost: readonly CommandLine[];
  readonly restart: RestartPolicy;
  readonly restartMs: number;
  readonly restartPrevent: ExitStatusSet;
  readonly restartForce: ExitStatusSet;
  readonly successExit: ExitStatusSet;
  readonly timeoutStartMs: number;
  readonly timeoutStopMs: number;
  readonly watchdogMs: number;
  readonly killMode: "control-group" | "mixed" | "process" | "none";
  readonly killSignal: NodeJS.Signals;
  readonly notifyAccess: "none" | "main" | "exec" | "all";
  readonly remainAfterExit: boolean;
  readonly workingDirectory: string;
  readonly environment: readonly string[];
  readonly environmentFiles: readonly { readonly path: string; readonly optional: boolean }[];
  readonly loadCredentials: readonly { readonly id: string; readonly path: string }[];
  readonly setCredentials: readonly { readonly id: string; readonly value: string }[];
  readonly directories: Readonly<Record<DirectoryKind, readonly string[]>>;
  readonly unsetEnvironment: readonly string[];
  readonly dynamicUser: boolean;
  readonly privateTmp: boolean;
}

export type DirectoryKind = "state" | "runtime" | "cache" | "logs" | "configuration";

/** Reads values the way systemd does: the last one counts, lists add up, and an empty assignment resets a list. */
export class SettingsReader {
  readonly #assignments: readonly Assignment[];
  readonly #used = new Set<string>();

  constructor(
    assignments: readonly Assignment[],
    readonly specifiers: Readonly<Record<string, string>>,
  ) {
    this.#assignments = assignments;
  }

  list(section: string, key: string): string[] {
    this.#used.add(`${section}.${key}`);
    let values: string[] = [];
    for (const entry of this.#assignments) {
      if (entry.section !== section || entry.key !== key) continue;
      if (entry.value === "") values = [];
      else values.push(expandSpecifiers(entry.value, this.specifiers));
    }
    return values;
  }

  words(section: string, key: string): string[] {
    return this.list(section, key).flatMap((value) => splitWords(value));
  }

  last(section: string, key: string): string | undefined {
    return this.list(section, key).at(-1);
  }

  spanMs(section: string, key: string, fallbackMs: number): number {
    const value = this.last(section, key);
    return value === undefined ? fallbackMs : parseTimeSpanMs(value);
  }

  flag(section: string, key: string): boolean {
    return /^(1|yes|true|on|y|t)$/i.test(this.last(section, key) ?? "no");
  }

  oneOf<T extends string>(section: string, key: string, allowed: readonly T[], fallback: T): T {
    const value = this.last(section, key);
    if (value === undefined) return fallback;
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`${key}=${value}: expected one of ${allowed.join(", ")}`);
    return found;
  }

  /** The assignments nobody asked for, in file order. */
  unread(): Assignment[] {
    return this.#assignments.filter((entry) => !this.#used.has(`${entry.section}.${entry.key}`));
  }
}

export function readUnitSettings(reader: SettingsReader, name: string): UnitSettings {
  const names = (key: string): string[] => reader.words("Unit", key);
  return {
    description: reader.last("Unit", "Description") ?? name,
    requires: [...names("Requires"), ...names("Requisite")],
    wants: names("Wants"),
    bindsTo: names("BindsTo"),
    partOf: names("PartOf"),
    conflicts: names("Conflicts"),
    after: names("After"),
    before: names("Before"),
    onFailure: names("OnFailure"),
    onSuccess: names("OnSuccess"),
    conditionPathExists: names("ConditionPathExists"),
    startLimitIntervalMs: reader.spanMs("Unit", "StartLimitIntervalSec", 10_000),
    startLimitBurst: Number(reader.last("Unit", "StartLimitBurst") ?? 5),
    wantedBy: reader.words("Install", "WantedBy"),
    requiredBy: reader.words("Install", "RequiredBy"),
  };
}

const restartPolicies: readonly RestartPolicy[] = [
  "no",
  "always",
  "on-success",
  "on-failure",
  "on-abnormal",
  "on-abort",
  "on-watchdog",
];

/** Reads [Service]; throws an Error that says which setting cannot be obeyed, as systemd refuses to load such a unit. */
export function readServiceSettings(reader: SettingsReader): ServiceSettings {
  const service = "Service";
  const commands = (key: string): CommandLine[] => reader.list(service, key).flatMap(parseCommandLines);
  const type = reader.oneOf<ServiceType>(service, "Type", ["simple", "exec", "notify", "oneshot"], "simple");
  const timeoutMs = reader.spanMs(service, "TimeoutSec", Number.NaN);
  const settings: ServiceSettings = {
    type,
    execStart: commands("ExecStart"),
    execStartPre: commands("ExecStartPre"),
    execStartPost: commands("ExecStartPost"),
    execStop: commands("ExecStop"),
    execStopPost: commands("ExecStopPost"),
    restart: reader.oneOf(service, "Restart", restartPolicies, "no"),
    restartMs: reader.spanMs(service, "RestartSec", 100),
    restartPrevent: new ExitStatusSet(reader.words(service, "RestartPreventExitStatus")),
    restartForce: new ExitStatusSet(reader.words(service, "RestartForceExitStatus")),
    successExit: new ExitStatusSet(reader.words(service, "SuccessExitStatus")),
    timeoutStartMs: reader.spanMs(
      service,
      "TimeoutStartSec",
      Number.isNaN(timeoutMs) ? (type === "oneshot" ? Number.POSITIVE_INFINITY : 90_000) : timeoutMs,
    ),
    timeoutStopMs: reader.spanMs(service, "TimeoutStopSec", Number.isNaN(timeoutMs) ? 90_000 : timeoutMs),
    watchdogMs: reader.spanMs(service, "WatchdogSec", 0),
    killMode: reader.oneOf(
      service,
      "KillMode",
      ["control-group", "mixed", "process", "none"],
      "control-group",
    ),
    killSignal: (reader.last(service, "KillSignal") ?? "SIGTERM") as NodeJS.Signals,
    notifyAccess: reader.oneOf(
      service,
      "NotifyAccess",
      ["none", "main", "exec", "all"],
      type === "notify" ? "main" : "none",
    ),
    remainAfterExit: reader.flag(service, "RemainAfterExit"),
    workingDirectory: reader.last(service, "WorkingDirectory") ?? "/",
    environment: reader.words(service, "Environment"),
    environmentFiles: reader.list(service, "EnvironmentFile").map((value) => ({
      path: value.replace(/^-/, ""),
      optional: value.startsWith("-"),
    })),
    loadCredentials: reader.list(service, "LoadCredential").map((value) => {
      const { id, rest } = splitCredential(value);
      return { id, path: rest };
    }),
    setCredentials: reader.list(service, "SetCredential").map((value) => {
      const { id, rest } = splitCredential(value);
      return { id, value: rest };
    }),
    directories: {
      state: reader.words(service, "StateDirectory"),
      runtime: reader.words(service, "RuntimeDirectory"),
      cache: reader.words(service, "CacheDirectory"),
      logs: reader.words(service, "LogsDirectory"),
      configuration: reader.words(service, "ConfigurationDirectory"),
    },
    unsetEnvironment: reader.words(service, "UnsetEnvironment"),
    dynamicUser: reader.flag(service, "DynamicUser"),
    privateTmp: reader.flag(service, "PrivateTmp") || reader.flag(service, "DynamicUser"),
  };
  refuseImpossible(settings);
  return settings;
}

function refuseImpossible(settings: ServiceSettings): void {
  if (settings.execStart.length === 0 && settings.execStop.length === 0) {
    throw new Error("Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.");
  }
  if (settings.type !== "oneshot" && settings.execStart.length !== 1) {
    throw new Error(
      "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services. Refusing.",
    );
  }
  if (settings.type === "oneshot" && (settings.restart === "always" || settings.restart === "on-success")) {
    throw new Error(
      `Service has Restart= set to ${settings.restart}, which isn't allowed for Type=oneshot services. Refusing.`,
    );
  }
}

function splitCredential(value: string): { id: string; rest: string } {
  const colon = value.indexOf(":");
  return colon < 0
    ? { id: value, rest: `/etc/credstore/${value}` }
    : { id: value.slice(0, colon), rest: value.slice(colon + 1) };
}

function parseCommandLines(value: string): CommandLine[] {
  const result: CommandLine[] = [];
  let words = splitWords(value);
  while (words.length > 0) {
    const end = words.indexOf(";");
    const own = end < 0 ? words : words.slice(0, end);
    words = end < 0 ? [] : words.slice(end + 1);
    const prefix = /^[-@:+!]*/.exec(own[0] ?? "")![0];
    const rest = [own[0]!.slice(prefix.length), ...own.slice(1)];
    // `@` gives argv[0] as the second word; a process started here keeps its path there, so the word is left out.
    if (prefix.includes("@")) rest.splice(1, 1);
    result.push({ words: rest, ignoreFailure: prefix.includes("-"), expand: !prefix.includes(":") });
  }
  return result;
}
