import { type ParseArgsConfig, parseArgs } from "node:util";
import { exitCodeMeanings, exitCodeOf, exitCodes, RoundtripError } from "../../core/errors.ts";

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly usage: string;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  /** One line per option, for `--help`. */
  readonly optionHelp: readonly (readonly [string, string])[];
  readonly examples: readonly string[];
  /** For a command whose exit codes are its own. */
  readonly exitCodes?: readonly (readonly [string, string])[];
  /** For a command in which 2 has another meaning than a wrong command line. */
  readonly usageExitCode?: number;
  run(values: Readonly<Record<string, unknown>>, positionals: readonly string[]): Promise<number>;
}

export function usageError(what: string, got: string, wayOut: string): RoundtripError {
  return new RoundtripError({ kind: "usage", what, expected: "arguments as --help shows them", got, wayOut });
}

function helpOf(command: Command): string {
  const table = (rows: readonly (readonly [string, string])[]) => {
    const width = Math.max(...rows.map(([left]) => left.length));
    return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
  };
  const codes =
    command.exitCodes ??
    Object.entries(exitCodes).map(
      ([kind, code]) => [String(code), exitCodeMeanings[kind as keyof typeof exitCodes]] as const,
    );
  return [
    command.summary,
    "",
    `Usage: ${command.usage}`,
    "",
    "Options",
    ...table([...command.optionHelp, ["--help", "this text"]]),
    "",
    "Examples",
    ...command.examples.map((example) => `  ${example}`),
    "",
    "Exit codes",
    ...table(codes),
    "",
  ].join("\n");
}

/** Parses, runs, and turns whatever is thrown into one message and an exit code. */
export async function runCommand(command: Command, args: readonly string[]): Promise<number> {
  try {
    const options = { ...command.options, help: { type: "boolean" as const } };
    const { values, positionals } = parse(args, options);
    if (values.help) {
      process.stdout.write(helpOf(command));
      return exitCodes.ok;
    }
    return await command.run(values, positionals);
  } catch (error) {
    process.stderr.write(`${command.name}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (!(error instanceof RoundtripError) && error instanceof Error)
      process.stderr.write(`${error.stack}\n`);
    const isUsage = error instanceof RoundtripError && error.kind === "usage";
    const code = isUsage && command.usageExitCode !== undefined ? command.usageExitCode : exitCodeOf(error);
    if (process.env.GITHUB_STEP_SUMMARY) {
      // Not at the top: it knows every runbook, and a command starts at once without.
      const { summariseFailure } = await import("./failure-summary.ts");
      await summariseFailure(process.env, titleOf(command, args), code, error);
    }
    return code;
  }
}

/** What was run, as a person would name it: `runbook failback-start`, `plan`. */
function titleOf({ name }: Command, args: readonly string[]): string {
  const short = name.replace(/^roundtrip /, "");
  const [first = ""] = args;
  return /^[a-z][a-z-]*$/.test(first) ? `${short} ${first}` : short;
}

function parse(args: readonly string[], options: NonNullable<ParseArgsConfig["options"]>) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (cause) {
    throw usageError(
      "read the command line",
      cause instanceof Error ? cause.message : String(cause),
      "see --help",
    );
  }
}
