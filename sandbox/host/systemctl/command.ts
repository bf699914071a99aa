import { type Manager, UnitRequestError } from "../manager.ts";
import { BadUnitError } from "../unit-loader.ts";
import { cat, disable, enable, isEnabled, listUnitFiles } from "./files.ts";
import { type CommandOutput, failed, ok, parseInvocation, type Verb } from "./invocation.ts";
import { restart, start, stop, tryRestart } from "./jobs.ts";
import { kill, resetFailed } from "./signals.ts";
import { isActive, isFailed, isSystemRunning, listUnits, show, status } from "./states.ts";

const verbs: Readonly<Record<string, Verb>> = {
  start,
  stop,
  restart,
  "try-restart": tryRestart,
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
  let parsed: ReturnType<typeof parseInvocation>;
  try {
    parsed = parseInvocation(argv);
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
