import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { exitCodeOf, exitCodes } from "../core/errors.ts";
import { terraformOnPath } from "./drill/provision/builder.ts";
import { renderReport } from "./drill/report/page.ts";
import { Story } from "./drill/story.ts";
import { Timeline } from "./drill/timeline.ts";
import type { DrillEvidence, DrillOptions } from "./drill/types.ts";
import { World } from "./drill/world.ts";

const help = `The whole failback on this machine, with stand-ins for MongoDB, DocumentDB and AWS, ending in a verdict. Where
terraform is on PATH, it applies the real stack (terraform/stack) to the stand-in for AWS first.

Usage: make drill ARGS="[options]"

Options
  --changes N   changes the applications make while MongoDB is down; 20000
  --docs N      documents in MongoDB before it fails; 2000
  --rate R      changes a second; 0 is as fast as it goes
  --seed S      the same seed tells the same story; a new one each run
  --json        one JSON document on stdout, everything else on stderr
  --keep        leave the stand-ins up with their addresses printed, until Ctrl-C
  --report F    where the report goes; drill-report.html
  --help        this text

Exit codes
  0 PROVEN   13 DIFFERS   14 UNKNOWN   2 wrong options   20 interrupted   others: what stopped it, see docs/exit-codes.md
`;

/** The stand-in's DMS says exactly where it stopped, so the tail needs no margin; a drill is too short for a 60 s pulse. */
const drillSettings = { tailMarginSeconds: 0, heartbeatSeconds: 5 };

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      changes: { type: "string", default: "20000" },
      docs: { type: "string", default: "2000" },
      rate: { type: "string", default: "0" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      report: { type: "string", default: "drill-report.html" },
      json: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return exitCodes.ok;
  }
  const options: DrillOptions = {
    changes: whole("--changes", values.changes, 100),
    docs: whole("--docs", values.docs, 100),
    rate: whole("--rate", values.rate, 0),
    seed: whole("--seed", values.seed, 0),
    json: values.json,
    keep: values.keep,
  };
  const interrupt = new AbortController();
  const stopped = new Promise<never>((_, reject) => {
    for (const name of ["SIGINT", "SIGTERM"] as const) {
      process.once(name, () => {
        interrupt.abort();
        reject(new Interrupted());
      });
    }
  });
  const timeline = new Timeline((text) => process.stderr.write(text), process.stderr.isTTY === true);
  await using world = await timeline.step("stand-ins", () =>
    World.start(timeline, { settings: drillSettings, builder: terraformOnPath() }),
  );
  const evidence = await Promise.race([new Story(world, options, timeline, interrupt.signal).run(), stopped]);
  await writeFile(values.report, renderReport(evidence));
  process.stderr.write(closing(evidence, values.report));
  if (options.json) process.stdout.write(`${JSON.stringify(evidence.result)}\n`);
  if (options.keep) {
    process.stderr.write(`\nStill up, until Ctrl-C:\n${world.addresses()}\n`);
    await stopped.catch(() => undefined);
  }
  return { PROVEN: exitCodes.ok, DIFFERS: exitCodes.differs, UNKNOWN: exitCodes.unknown }[
    evidence.result.verdict
  ];
}

class Interrupted extends Error {}

function whole(name: string, text: string, min: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min) return value;
  throw new TypeError(`${name}: expected a whole number from ${min}, got ${text}. See --help`);
}

function closing({ result }: DrillEvidence, report: string): string {
  const reasons = result.reasons.map((reason) => `  ${reason}\n`).join("");
  return `
${result.verdict}  seed ${result.seed}
${reasons}  ${result.changes} changes, ${result.captured} captured, ${result.applied} applied, tail ${result.tail}, conflicts ${result.conflicts}
  RPO p50 ${result.rpoMsP50} ms, p99 ${result.rpoMsP99} ms · RTO ${(result.rtoMs / 1000).toFixed(1)} s · nobody could write for ${(result.readOnlyMs / 1000).toFixed(1)} s
  peak memory: replication ${result.peakMiB.replication} MiB, restore ${result.peakMiB.restore} MiB
  world: ${result.world.words}
${slackLines(result.slack)}  report: ${report}
`;
}

function slackLines(told: readonly string[] = []): string {
  return told.length === 0 ? "" : `  Slack was told:\n${told.map((line) => `    ${line}\n`).join("")}`;
}

let code: number;
try {
  code = await main();
} catch (error) {
  if (error instanceof Interrupted) {
    process.stderr.write("\ninterrupted; the stand-ins are gone, run it again whenever you like\n");
    code = exitCodes.interrupted;
  } else {
    process.stderr.write(`\ndrill: ${error instanceof Error ? error.message : String(error)}\n`);
    code = error instanceof TypeError ? exitCodes.usage : exitCodeOf(error);
  }
}
// A story that was interrupted still waits for replies of stand-ins that are gone.
process.exit(code);
