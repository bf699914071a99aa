import type { CollectionVerdict, Verdict } from "../failback/documents.ts";
import { within } from "../plan/markdown.ts";

const meaning: Readonly<Record<Verdict["verdict"], string>> = {
  PROVEN: "MongoDB holds what DocumentDB holds. Next: failback-clean.",
  DIFFERS: "MongoDB does not hold what DocumentDB holds. Nothing may be cleaned.",
  UNKNOWN: "Not everything could be seen, or something moved. This is no success: nothing may be cleaned.",
};

const reasonsMax = 50;
/** Each part of the page, so that a job summary with thousands of collections stays below GitHub's 1 MiB. */
const partLengthMax = 40_000;
const elsewhere = "verdict.json";

/** A verdict as Markdown for a job summary: the verdict first, then why, then where. */
export function renderVerdict(verdict: Verdict): string {
  const { reasons } = verdict;
  const lines = reasons.slice(0, reasonsMax).map((reason) => `- ${escaped(reason)}`);
  const shown = within(lines, partLengthMax, elsewhere);
  if (reasons.length > reasonsMax) shown.push(`- … and ${reasons.length - reasonsMax} more`);
  const parts = [
    `# ${verdict.verdict}`,
    meaning[verdict.verdict],
    ...(shown.length > 0 ? ["## Why", shown.join("\n")] : []),
    "## What was compared",
    table(verdict.collections),
    numbers(verdict),
    ...section(
      "## Catalog",
      verdict.catalog.map(({ what, accepted }) => `${accepted ? "accepted" : "**open**"}: ${escaped(what)}`),
    ),
    ...section("## Noted", (verdict.notes ?? []).map(escaped)),
    ...collapsed(section("## Treated as equal", verdict.normalisations.map(escaped))),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The same at each verdict: there for who asks. */
function collapsed(lines: readonly string[]): string[] {
  const [title = "", list = ""] = lines;
  const summary = `<details><summary>${title.replace(/^#+ /, "")}</summary>`;
  return lines.length > 0 ? [summary, list, "</details>"] : [];
}

function section(title: string, lines: readonly string[]): string[] {
  const items = within(
    lines.map((line) => `- ${line}`),
    partLengthMax,
    elsewhere,
  );
  return items.length > 0 ? [title, items.join("\n")] : [];
}

function table(collections: readonly CollectionVerdict[]): string {
  // Where something differs comes first: the end may be left out.
  const sorted = [...collections].sort((left, right) => right.differing - left.differing);
  const rows = sorted.map(
    (each) =>
      `| ${escaped(`${each.database}.${each.collection}`)} | ${each.documents.documentdb} | ${each.documents.mongodb} | ${each.equal} | ${each.tail} | ${each.conflicts} | ${each.differing} |`,
  );
  return [
    "| Collection | DocumentDB | MongoDB | equal | tail | conflicts | differ |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...within(rows, partLengthMax, elsewhere),
  ].join("\n");
}

function numbers(verdict: Verdict): string {
  const { coverage, durations } = verdict;
  return [
    `- Failback ${verdict.failbackId}, taken at ${verdict.takenAt}, fence ${verdict.fence}`,
    `- Log: events ${coverage.firstSequence}…${coverage.lastSequence} in ${coverage.manifests} manifests; ${verdict.captured} captured, ${verdict.applied} applied, ${verdict.held} held`,
    `- Tail: ${verdict.tail} documents; conflicts: ${verdict.conflicts}`,
    `- Applied in ${seconds(durations.applyMs)}, compared in ${seconds(durations.compareMs)}`,
  ].join("\n");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** Names and ids come from the data: they must not become markup. */
function escaped(text: string): string {
  return text.replace(/[\\`*_{}[\]<>|#]/g, (character) => `\\${character}`).replace(/\r?\n/g, " ");
}
