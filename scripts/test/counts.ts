/** What a suite came to. `skips` are the skipped tests' names, which say the reason; `failures` each failed test with why. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly skips: readonly string[];
  readonly failures: readonly string[];
}

/** Things a test may go without even when everything is required: no installer brings them. */
const notInstallable = /\b(SPECIFICATIONS|MONGOD|terraform|root|mount)\b/;

/**
 * Reads the closing ` N pass`, ` N fail`, ` N skip` of `bun test` and its `(skip)` lines. A run that ended badly without
 * a failed test, or that ran no test, is one failure. With `requireAll` a skipped test is a failure, unless its name
 * says that it needs what can't be installed.
 */
export function bunCounts(output: string, code: number, requireAll: boolean): Counts {
  const count = (word: string) =>
    Number([...output.matchAll(new RegExp(`^ *(\\d+) ${word}$`, "gm"))].at(-1)?.[1] ?? 0);
  const skips = [...output.matchAll(/^\(skip\) (.+)$/gm)].map(([, name = ""]) => name);
  const excused = skips.filter((name) => notInstallable.test(name)).length;
  const refused = requireAll ? count("skip") - excused : 0;
  const passed = count("pass");
  const failed = count("fail") + refused;
  const silent = failed === 0 && (code !== 0 || passed + excused === 0);
  const failures = failuresIn(output);
  return { passed, failed: silent ? 1 : failed, skipped: count("skip") - refused, skips, failures };
}

const reasonLinesMax = 40;
const reasonCharactersMax = 4000;

/** Each `(fail)` line under what stands between it and the test before it, which is its error: the end of it when it is long. */
function failuresIn(output: string): string[] {
  // bun names each failed test once more at its end, without the error.
  const found = new Map<string, string>();
  let reason: string[] = [];
  for (const line of output.split("\n")) {
    if (line.startsWith("(fail) ") && !found.has(line))
      found.set(line, [line, ...reason.slice(-reasonLinesMax)].join("\n").slice(0, reasonCharactersMax));
    if (/^\((pass|fail|skip|todo)\) /.test(line)) reason = [];
    else reason.push(line);
  }
  return [...found.values()];
}

/** The count of a command that is one check; where it failed, the end of what it said is why. */
export function commandCounts(output: string, code: number): Counts {
  if (code === 0) return { passed: 1, failed: 0, skipped: 0, skips: [], failures: [] };
  const said = output.trimEnd().split("\n").slice(-reasonLinesMax).join("\n").slice(-reasonCharactersMax);
  return { passed: 0, failed: 1, skipped: 0, skips: [], failures: [said] };
}

/** The last line of a test run. What was skipped is listed above it, with its number and reasons. */
export function closingLine({ passed, failed }: Pick<Counts, "passed" | "failed">): string {
  return `${passed} passed, ${failed} failed`;
}
