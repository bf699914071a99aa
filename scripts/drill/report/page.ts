import type { DrillEvidence } from "../types.ts";
import { escapeHtml, formatNumber, lineChart, stepChart } from "./chart.ts";

const style = `
:root { color-scheme: light dark; --text: #1c2024; --dim: #60646c; --back: #ffffff; --card: #f4f5f7; --line: #3358d4; --grid: #d9dce1; --good: #1a7f4b; --bad: #c62a2f; --wait: #ad5700 }
@media (prefers-color-scheme: dark) { :root { --text: #edeef0; --dim: #b0b4ba; --back: #111113; --card: #1d1e22; --line: #849dff; --grid: #363a3f; --good: #3dd68c; --bad: #ff9592; --wait: #ffca16 } }
* { box-sizing: border-box } body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem 4rem; background: var(--back); color: var(--text); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.1rem; color: var(--dim); font-weight: 500; margin: 0 } h2 { font-size: 1.15rem; margin: 2.25rem 0 .75rem }
.verdict { font-size: 3rem; font-weight: 750; margin: .1rem 0 .4rem; letter-spacing: -.02em } .PROVEN { color: var(--good) } .DIFFERS { color: var(--bad) } .UNKNOWN { color: var(--wait) }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; padding: 0 } .facts div { background: var(--card); border-radius: 10px; padding: .75rem .9rem } .facts dt { color: var(--dim); font-size: .82rem } .facts dd { margin: 0; font-size: 1.3rem; font-variant-numeric: tabular-nums }
figure { margin: 0 0 1.5rem; background: var(--card); border-radius: 10px; padding: .9rem } figcaption { font-size: .9rem; color: var(--dim); margin-bottom: .4rem } svg { width: 100%; height: auto; display: block } svg text { fill: var(--dim); font-size: 11px } .grid { stroke: var(--grid) } .line { fill: none; stroke: var(--line); stroke-width: 1.6 } .bar { fill: var(--line) }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums } th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--grid) } td.number, th.number { text-align: right } code { font-size: .85em; overflow-wrap: anywhere } .empty { color: var(--dim) }
`;

/** The drill's report as one self-contained page: no script, no request, light and dark. */
export function renderReport(evidence: DrillEvidence): string {
  const { result } = evidence;
  const facts: readonly (readonly [string, string])[] = [
    ["Changes meanwhile", formatNumber(result.changes)],
    ["Captured", formatNumber(result.captured)],
    ["Applied", formatNumber(result.applied)],
    ["RPO p50 / p99", `${formatNumber(result.rpoMsP50)} / ${formatNumber(result.rpoMsP99)} ms`],
    ["RTO", `${formatNumber(result.rtoMs / 1000)} s`],
    ["Nobody could write", `${formatNumber(result.readOnlyMs / 1000)} s`],
    ["Tail", formatNumber(result.tail)],
    ["Conflicts", formatNumber(result.conflicts)],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${result.verdict} · Roundtrip drill</title><style>${style}</style></head>
<body>
<h1>Roundtrip drill · ${escapeHtml(minuteOf(evidence.startedAt))} · seed ${result.seed}</h1>
<p class="verdict ${result.verdict}">${result.verdict}</p>
<p>${escapeHtml(sentence(evidence))}</p>
<p class="empty">World: ${escapeHtml(result.world.words)}.</p>
${list(result.reasons)}
<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("")}</dl>
<h2>What happened</h2>
${stepChart(evidence.steps)}
${lineChart("Time from an acknowledged write to its manifest in S3", "ms", evidence.rpo)}
${lineChart("Changes made durable per second", "/s", evidence.captured)}
<h2>Collections</h2>
<table><thead><tr><th>Collection</th><th class="number">Documents</th><th class="number">Differing</th></tr></thead><tbody>
${evidence.collections.map((row) => `<tr><td><code>${escapeHtml(row.name)}</code></td><td class="number">${formatNumber(row.documents)}</td><td class="number">${formatNumber(row.differing)}</td></tr>`).join("\n")}
</tbody></table>
<h2>Tail and conflicts</h2>
<p>Tail: writes MongoDB had taken that DMS never carried over; they stay on MongoDB. Conflicts: documents written on both sides; DocumentDB's version was kept.</p>
${ids("Tail", evidence.tailIds)}${ids("Conflicts", evidence.conflictIds)}
</body></html>
`;
}

/** `2026-11-21T10:16:24.630Z` as a person reads it. */
function minuteOf(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}

function sentence({ result }: DrillEvidence): string {
  if (result.verdict === "PROVEN")
    return "Every acknowledged write is on MongoDB, byte for byte, by a comparison of both databases and by the workload's own ledger.";
  if (result.verdict === "DIFFERS") return "The databases, or the ledger of acknowledged writes, differ.";
  return "The drill did not reach a proof. Unknown is never success.";
}

function list(reasons: readonly string[]): string {
  return reasons.length === 0
    ? ""
    : `<ul>${reasons.map((reason) => `<li>${escapeHtml(reason)}</li>`).join("")}</ul>`;
}

function ids(title: string, values: readonly string[]): string {
  if (values.length === 0) return `<p class="empty">${title}: none.</p>`;
  return `<details><summary>${title}: ${values.length}</summary>${values.map((id) => `<p><code>${escapeHtml(id)}</code></p>`).join("")}</details>`;
}
