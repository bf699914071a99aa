import { addToSummary } from "./github/runner-files.ts";

/**
 * `bun scripts/in-summary.ts <roundtrip's arguments>`: runs that command, shows what it prints in the log and in the
 * job's summary, and ends with its exit code. Markdown stands as it is; anything else is fenced.
 */
const args = process.argv.slice(2);
const child = Bun.spawn([process.execPath, `${import.meta.dirname}/roundtrip.ts`, ...args], {
  stdout: "pipe",
  stderr: "inherit",
});
const text = await new Response(child.stdout).text();
process.stdout.write(text);
// Longer than any run of backticks in what a service logged, so that none of it ends the fence.
const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
const fence = "`".repeat(longest + 1);
await addToSummary(
  process.env,
  args.includes("--markdown") ? text : `### ${args[0]}\n\n${fence}text\n${text}\n${fence}`,
);
process.exit(await child.exited);
