import { constants } from "node:os";

const statusNames: Readonly<Record<number, string>> = {
  0: "SUCCESS",
  1: "FAILURE",
  2: "INVALIDARGUMENT",
  3: "NOTIMPLEMENTED",
  4: "NOPERMISSION",
  5: "NOTINSTALLED",
  6: "NOTCONFIGURED",
  7: "NOTRUNNING",
  64: "USAGE",
  65: "DATAERR",
  66: "NOINPUT",
  67: "NOUSER",
  68: "NOHOST",
  69: "UNAVAILABLE",
  70: "SOFTWARE",
  71: "OSERR",
  72: "OSFILE",
  73: "CANTCREAT",
  74: "IOERR",
  75: "TEMPFAIL",
  76: "PROTOCOL",
  77: "NOPERM",
  78: "CONFIG",
  200: "CHDIR",
  203: "EXEC",
  238: "STATE_DIRECTORY",
  243: "CREDENTIALS",
};

/** How a process ended: an exit code, or the name of the signal that killed it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** systemd's own name for an exit status, as in `status=1/FAILURE`; `n/a` when it has none. */
function statusName(code: number): string {
  return statusNames[code] ?? "n/a";
}

export function signalNumber(name: string): number {
  const full = name.startsWith("SIG") ? name : `SIG${name}`;
  const found = (constants.signals as Readonly<Record<string, number>>)[full];
  if (found === undefined) throw new Error(`signal "${name}" is not known`);
  return found;
}

/** The set named by SuccessExitStatus=, RestartPreventExitStatus= …: numbers, status names, signal names. */
export class ExitStatusSet {
  readonly #codes = new Set<number>();
  readonly #signals = new Set<string>();

  constructor(words: readonly string[]) {
    for (const word of words) {
      const named = Object.entries(statusNames).find(([, name]) => name === word);
      if (/^\d+$/.test(word) && Number(word) <= 255) this.#codes.add(Number(word));
      else if (named) this.#codes.add(Number(named[0]));
      else {
        signalNumber(word);
        this.#signals.add(word.startsWith("SIG") ? word : `SIG${word}`);
      }
    }
  }

  has(end: ProcessEnd): boolean {
    return end.signal !== null ? this.#signals.has(end.signal) : this.#codes.has(end.code ?? -1);
  }
}

const cleanSignals = new Set<string>(["SIGHUP", "SIGINT", "SIGTERM", "SIGPIPE"]);

/** systemd.service(5): code 0 and SuccessExitStatus= are clean; the four signals only for what isn't a command (oneshot). */
export function isCleanEnd(end: ProcessEnd, success: ExitStatusSet, isCommand: boolean): boolean {
  if (success.has(end)) return true;
  return end.signal !== null ? !isCommand && cleanSignals.has(end.signal) : end.code === 0;
}

/** `code=exited, status=1/FAILURE` or `code=killed, status=9/KILL`. */
export function describeEnd(end: ProcessEnd): string {
  if (end.signal !== null) return `code=killed, status=${signalNumber(end.signal)}/${end.signal.slice(3)}`;
  return `code=exited, status=${end.code}/${statusName(end.code ?? 0)}`;
}
