import { RoundtripError } from "../../core/errors.ts";
import { run } from "./run.ts";

/** Runs a program that must end with 0, within 15 minutes; anything else is `unavailable`, with the last it said. */
export async function needed(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  const ran = await run(command, args, { timeoutMs: 900_000, ...options });
  if (ran.code === 0) return;
  throw new RoundtripError({
    kind: "unavailable",
    what: `run ${command} ${args.join(" ")}`,
    expected: "exit code 0",
    got: `exit code ${ran.code}: ${ran.stderr.trim().slice(-500)}`,
    wayOut: "install Go and python3 with venv, or mend the package index, and run the command again",
  });
}
