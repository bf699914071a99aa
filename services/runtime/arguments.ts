import { parseArgs } from "node:util";
import { exitCodeMeanings, exitCodes, RoundtripError } from "../../core/errors.ts";
import type { Arguments, ServiceDefinition } from "./definition.ts";

/** Reads the words after the verb. Fails `usage` naming what is unknown or missing. */
export function parseArguments(definition: ServiceDefinition, words: readonly string[]): Arguments {
  const options = Object.fromEntries(
    Object.entries(definition.options ?? {}).map(([name, { type, multiple }]) => [
      name,
      { type, multiple: multiple ?? false },
    ]),
  );
  const wanted = definition.positionals ?? [];
  const { values, positionals } = parseOrRefuse(definition, words, options);
  const required = wanted.filter((word) => !word.startsWith("["));
  if (positionals.length < required.length || positionals.length > wanted.length) {
    throw usage(
      definition,
      `${wanted.length} words (${wanted.join(" ") || "none"})`,
      `${positionals.length}`,
    );
  }
  return {
    positionals,
    text: (name) => [values[name]].flat().at(-1) as string | undefined,
    texts: (name) => [values[name] ?? []].flat() as string[],
    flag: (name) => values[name] === true,
  };
}

function parseOrRefuse(
  definition: ServiceDefinition,
  words: readonly string[],
  options: Record<string, { type: "string" | "boolean"; multiple: boolean }>,
) {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      options,
      allowPositionals: true,
      strict: true,
    });
    return {
      values: values as Record<string, string | boolean | (string | boolean)[] | undefined>,
      positionals,
    };
  } catch (cause) {
    throw usage(definition, "only the options of --help", (cause as Error).message, cause);
  }
}

function usage(
  definition: ServiceDefinition,
  expected: string,
  got: string,
  cause?: unknown,
): RoundtripError {
  return new RoundtripError(
    {
      kind: "usage",
      what: `read the command line of roundtrip-worker ${definition.name}`,
      expected,
      got,
      wayOut: `see roundtrip-worker ${definition.name} --help`,
    },
    { cause },
  );
}

/** The text of --help: what, options, examples, environment, exit codes. */
export function helpOf(definition: ServiceDefinition): string {
  const options = Object.entries(definition.options ?? {}).map(([name, option]) =>
    row(`--${name}${option.type === "string" ? ` <${option.value ?? "text"}>` : ""}`, option.description),
  );
  const codes = Object.entries(exitCodes).map(([name, code]) => {
    const meaning = definition.exitCodes?.[code] ?? exitCodeMeanings[name as keyof typeof exitCodes];
    return `  ${String(code).padEnd(3)} ${meaning}`;
  });
  return [
    `roundtrip-worker ${[definition.name, ...(definition.positionals ?? [])].join(" ")} [options]`,
    "",
    definition.summary,
    "",
    "Options:",
    ...options,
    row("--help", "this text"),
    "",
    "Environment:",
    row("ROUNDTRIP_CONFIG", "file with the environment's document (required)"),
    row("ROUNDTRIP_LOG_LEVEL", "debug, info (default), warn or error; JSON lines on stdout"),
    row("STATE_DIRECTORY", "where files of this host lie; systemd sets it"),
    row("AWS_REGION, AWS_…", "as every AWS SDK reads them"),
    ...(definition.examples?.length
      ? ["", "Examples:", ...definition.examples.map((line) => `  ${line}`)]
      : []),
    "",
    "Exit codes:",
    ...codes,
    "",
  ].join("\n");
}

function row(left: string, right: string): string {
  return `  ${left.padEnd(22)} ${right}`;
}
