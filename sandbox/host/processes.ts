import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";

/** What /proc says of a process; `startTicks` tells a pid from the next process that gets the same number. */
export interface ProcessInfo {
  readonly pid: number;
  readonly state: string;
  readonly session: number;
  readonly startTicks: string;
}

/** Reads /proc/PID/stat; `undefined` when there is no such process. */
export function processInfo(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and parentheses, so fields are counted after the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, state: fields[0]!, session: Number(fields[3]), startTicks: fields[19]! };
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  const info = processInfo(pid);
  return info !== undefined && info.state !== "Z" && info.state !== "X";
}

/**
 * The live processes of one run of a unit, the way a control group would list them: those in the session the main
 * process opened, and those that inherited its INVOCATION_ID though they opened a session of their own.
 */
export function processesOf(invocations: ReadonlySet<string>, sessions: ReadonlySet<number>): number[] {
  const found: number[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const info = processInfo(pid);
    if (!info || info.state === "Z" || info.state === "X") continue;
    if (sessions.has(info.session) || invocations.has(invocationOf(pid))) found.push(pid);
  }
  return found;
}

function invocationOf(pid: number): string {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, "latin1");
    return /(?:^|\0)INVOCATION_ID=([^\0]*)/.exec(environment)?.[1] ?? "";
  } catch {
    return "";
  }
}

/** Sends a signal; a process that is gone already is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Every process this machine started, on disk before anything depends on it, so that a killed host leaves a trace. */
export class ProcessRecord {
  constructor(readonly path: string) {}

  add(pid: number, invocation: string): void {
    const info = processInfo(pid);
    if (info)
      appendFileSync(this.path, `${JSON.stringify({ pid, startTicks: info.startTicks, invocation })}\n`);
  }

  /** Kills what an earlier host left running; returns the pids. A recycled pid is spared: its start time differs. */
  killLeftovers(): number[] {
    if (!existsSync(this.path)) return [];
    const recorded = readFileSync(this.path, "utf8")
      .split("\n")
      .filter((line) => line.endsWith("}"))
      .map((line) => JSON.parse(line) as { pid: number; startTicks: string; invocation: string });
    const own = recorded.filter(({ pid, startTicks }) => processInfo(pid)?.startTicks === startTicks);
    const invocations = new Set(recorded.map(({ invocation }) => invocation));
    const pids = [
      ...new Set([
        ...own.map(({ pid }) => pid),
        ...processesOf(invocations, new Set(own.map(({ pid }) => pid))),
      ]),
    ];
    for (const pid of pids) signalProcess(pid, "SIGKILL");
    rmSync(this.path, { force: true });
    return pids;
  }
}
