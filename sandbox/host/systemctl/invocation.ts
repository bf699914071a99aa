import { parseArgs } from "node:util";
import type { Manager } from "../manager.ts";

/** What a command printed, and its exit status. */
export interface CommandOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

const options = {
  "no-block": { type: "boolean" },
  now: { type: "boolean" },
  all: { type: "boolean", short: "a" },
  quiet: { type: "boolean", short: "q" },
  "no-pager": { type: "boolean" },
  "no-legend": { type: "boolean" },
  plain: { type: "boolean" },
  value: { type: "boolean" },
  full: { type: "boolean", short: "l" },
  "no-ask-password": { type: "boolean" },
  system: { type: "boolean" },
  force: { type: "boolean", short: "f" },
  runtime: { type: "boolean" },
  property: { type: "string", short: "p", multiple: true },
  type: { type: "string", short: "t" },
  state: { type: "string" },
  signal: { type: "string", short: "s" },
  "kill-whom": { type: "string" },
  "kill-who": { type: "string" },
  lines: { type: "string", short: "n" },
  output: { type: "string", short: "o" },
  legend: { type: "string" },
} as const;

export type Values = ReturnType<typeof parseInvocation>["values"];
/** One call of systemctl, its options parsed and its units named in full. */
export interface Invocation {
  readonly manager: Manager;
  readonly units: readonly string[];
  readonly values: Values;
}
export type Verb = (invocation: Invocation) => Promise<CommandOutput> | CommandOutput;

/** Parses systemctl's own options; throws a TypeError for one it doesn't have. */
export function parseInvocation(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, allowPositionals: true });
}

export const ok = (stdout = "", stderr = ""): CommandOutput => ({ stdout, stderr, status: 0 });
export const failed = (status: number, stderr: string, stdout = ""): CommandOutput => ({
  stdout,
  stderr: `${stderr}\n`,
  status,
});
