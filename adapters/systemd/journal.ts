import { execFile } from "node:child_process";
import { RoundtripError } from "../../core/errors.ts";

const outputBytesMax = 4 * 1024 * 1024;

/** The last lines of a unit's journal, oldest first, through `journalctl` on PATH. */
export function readUnitJournal(unit: string, lines: number): Promise<string[]> {
  const words = ["--unit", unit, "--lines", String(lines), "--no-pager", "--output", "short-iso"];
  return new Promise((resolve, reject) => {
    execFile("journalctl", words, { maxBuffer: outputBytesMax }, (cause, stdout, stderr) => {
      if (!cause) return resolve(stdout.split("\n").filter((line) => line !== ""));
      reject(
        new RoundtripError(
          {
            kind: "unavailable",
            what: `read the journal of ${unit}`,
            expected: "journalctl to end with exit code 0",
            got: stderr.trim() || cause.message,
            wayOut: "see that journalctl is on this host and that this program may read the journal",
          },
          { cause },
        ),
      );
    });
  });
}
