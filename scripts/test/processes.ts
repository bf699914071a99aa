import { readdirSync, readFileSync } from "node:fs";

/** A process that carries the mark of a suite in its environment. */
export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** Processes with `NAME=value` in their environment; empty where there is no /proc. */
function processesWith(mark: string): Leftover[] {
  return pids().flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(mark)) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      // A process that has ended and waits for its parent has no command line any more.
      return command === "" ? [] : [{ pid, command }];
    } catch {
      return [];
    }
  });
}

/** Waits for processes that are about to end; those still there after `patienceMs` are ended and returned. */
export async function endLeftovers(mark: string, patienceMs: number): Promise<Leftover[]> {
  const deadline = performance.now() + patienceMs;
  let left = processesWith(mark);
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    left = processesWith(mark);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself between the look and the signal.
    }
  }
  return left;
}

function pids(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
