import { statSync } from "node:fs";
import { addToSummary } from "./github/runner-files.ts";

/**
 * `bun scripts/in-summary.ts <roundtrip's arguments>`: runs that command, shows what it prints in the log and in the
 * job's summary, and ends with its exit code. Markdown stands as it is, anything else is fenced. A command that fails
 * without a summary of its own gets one with its message, which says what, expected, got and the way out.
 */
const args = process.argv.slice(2);
const command = args[0] === "runbook" ? args.slice(0, 2).join(" ") : (args[0] ?? "");
const errorLengthMax = 20_000;
const before = summaryBytes();
const child = Bun.spawn([process.execPath, `${import.meta.dirname}/roundtrip.ts`, ...args], {
  stdout: "pipe",
  stderr: "pipe",
});
// A run that is cancelled gives its lease back and writes its journal: it has to hear of it.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
const [output, errors] = await Promise.all([
  passedOn(child.stdout, process.stdout),
  passedOn(child.stderr, process.stderr),
]);
const code = await child.exited;
if (output !== "")
  await addToSummary(
    process.env,
    args.includes("--markdown")
      ? output
      : `### ${code === 0 ? "" : "❌ "}${command}\n\n${fenced(withoutAnnotations(output))}`,
  );
if (code !== 0 && summaryBytes() === before) {
  const last = errors.slice(-errorLengthMax).trim() || "no message";
  await addToSummary(process.env, `### ❌ ${command}: exit code ${code}\n\n${fenced(last)}`);
}
process.exit(code);

async function passedOn(from: ReadableStream<Uint8Array>, to: NodeJS.WriteStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of from) {
    to.write(chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What is for the runner alone: it shows an annotation at its line. */
function withoutAnnotations(text: string): string {
  return text.replace(/^::(error|warning|notice) .*\n?/gm, "");
}

/** A fence longer than any run of backticks inside, so that nothing a service logged ends it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text.trimEnd()}\n${fence}`;
}

function summaryBytes(): number {
  const file = process.env.GITHUB_STEP_SUMMARY;
  return file ? (statSync(file, { throwIfNoEntry: false })?.size ?? 0) : 0;
}
