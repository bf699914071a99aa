import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { basename } from "node:path";
import { lifeline } from "./lifeline.ts";

/** What Terraform itself says about the lock of a state. */
export interface StateLockInfo {
  readonly id: string;
  /** `user@host`. */
  readonly who: string;
  /** When it was taken, by the clock of its holder's host, as Terraform words it. */
  readonly created: string;
  /** `OperationTypePlan` or `OperationTypeApply`. */
  readonly operation: string;
}

/** One command of Terraform that takes the state's lock, as this program writes it down before it starts it. */
export interface LockHolder {
  /** As Terraform will name it in the lock. */
  readonly who: string;
  readonly operation: string;
  /** Which machine, since it was started; absent where there is no /proc. */
  readonly machine?: string;
  readonly pid: number;
  /** In clock ticks since the machine was started: with it a process is known although its number is used again. */
  readonly pidStarted?: string;
  readonly directory: string;
  readonly program: string;
  /** By the clock of its host, which is the one that stands in the lock. */
  readonly startedAt: string;
  readonly lockTimeoutSeconds: number;
  /** Terraform can't outlive this program by more than its grace after an interrupt (lifeline.ts); absent where it may. */
  readonly isBound?: true;
  /** When it had ended; absent while it runs, and for good when this program was killed. */
  readonly endedAt?: string;
  /** It never got the lock. */
  readonly wasRefused?: boolean;
}

/** Who is to hold the lock: this process, about to start `program` in a folder. */
export function thisHolder(
  command: Pick<LockHolder, "operation" | "directory" | "program" | "lockTimeoutSeconds">,
): LockHolder {
  const machine = thisMachine();
  const pidStarted = startOf(process.pid);
  return {
    ...command,
    who: `${userName()}@${hostname()}`,
    ...(machine ? { machine } : {}),
    pid: process.pid,
    ...(pidStarted ? { pidStarted } : {}),
    startedAt: new Date().toISOString(),
    ...(lifeline() ? { isBound: true } : {}),
  };
}

/** As the user database has it, which Terraform asks, too; the variable USER may say something else, or nothing. */
function userName(): string {
  try {
    return execFileSync("id", ["-un"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return userInfo().username;
  }
}

/** The machine since its start, and the container: only there do process numbers mean the same. */
export function thisMachine(): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/**
 * The processes of this machine that may still be this holder: the program that started Terraform, and any Terraform
 * that works in the same folder, also one whose parent was killed. Only meaningful where `machine` is `thisMachine()`.
 */
export function livingProcesses(holder: LockHolder): string[] {
  const living: string[] = [];
  if (holder.pid !== process.pid && startOf(holder.pid) === holder.pidStarted && holder.pidStarted)
    living.push(`process ${holder.pid}, which started Terraform`);
  const name = basename(holder.program);
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry)))
    if (workingFolder(pid) === holder.directory && commandName(pid) === name)
      living.push(`${name}, process ${pid}, in ${holder.directory}`);
  return living;
}

/** Field 22 of /proc/<pid>/stat, counted behind the name, which may hold spaces (proc_pid_stat(5)). */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie is dead: it only waits to be noticed.
    return state === "Z" ? undefined : rest[18];
  } catch {
    return undefined;
  }
}

function workingFolder(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function commandName(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return undefined;
  }
}
