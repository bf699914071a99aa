import { readFile } from "node:fs/promises";
import { type Problem, problemAnnotation, problemText } from "../../core/tasks/problem.ts";
import { readTasks } from "../../core/tasks/read.ts";
import { type Command, usageError } from "./command.ts";

const exitInvalid = 1;

export const validateCommand: Command = {
  name: "roundtrip validate",
  summary: "Checks a tasks file: everything that is wrong, each with its line and a fix.",
  usage: "roundtrip validate [FILE] [--json]",
  options: { json: { type: "boolean" } },
  optionHelp: [
    ["FILE", "the tasks file; tasks.yaml"],
    [
      "--json",
      'one document on stdout: {"valid", "errors": [{file, line, column, path, code, message, fix}]}',
    ],
  ],
  examples: ["roundtrip validate", "roundtrip validate tasks.yaml --json | jq '.errors[].message'"],
  exitCodes: [
    ["0", "the file is valid"],
    ["1", "it is not; every problem was printed"],
    ["2", "the command line is wrong, or there is no such file"],
  ],
  run: async (values, positionals) => {
    if (positionals.length > 1)
      throw usageError("take one file", positionals.join(" "), "roundtrip validate [FILE]");
    const file = positionals[0] ?? "tasks.yaml";
    const problems = validateBytes(await bytesOf(file), file);
    const valid = problems.length === 0;
    if (values.json) process.stdout.write(`${JSON.stringify({ valid, errors: problems })}\n`);
    else process.stdout.write(valid ? `${file}: valid\n` : `${problems.map(problemText).join("\n")}\n`);
    if (process.env.GITHUB_ACTIONS === "true") {
      // stdout belongs to the document under --json; the runner reads commands from both.
      const out = values.json ? process.stderr : process.stdout;
      for (const problem of problems) out.write(`${problemAnnotation(problem)}\n`);
    }
    return valid ? 0 : exitInvalid;
  },
};

/** What is wrong with the bytes of a tasks file; empty when nothing is. */
export function validateBytes(bytes: Uint8Array, file: string): readonly Problem[] {
  try {
    return readTasks(new TextDecoder("utf-8", { fatal: true }).decode(bytes), file).problems;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return [notUtf8(bytes, file)];
  }
}

function notUtf8(bytes: Uint8Array, file: string): Problem {
  // The replacement character stands where decoding first fails.
  const before = new TextDecoder("utf-8").decode(bytes).split("\ufffd")[0] ?? "";
  const line = before.split("\n").length;
  const column = before.length - (before.lastIndexOf("\n") + 1) + 1;
  return {
    file,
    line,
    column,
    path: ".",
    code: "not-utf8",
    message: "bytes that are not UTF-8; expected text in UTF-8",
    fix: "save the file as UTF-8",
  };
}

async function bytesOf(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw usageError(`read ${file}`, code, "name a file that exists and can be read");
  }
}
