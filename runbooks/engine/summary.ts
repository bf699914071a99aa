import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { RunIdentity, RunReport, StepReport } from "./run.ts";
import type { Procedure, StepContext } from "./runbook.ts";

const reasonsShownMax = 10;

/** What a summary says of what was run. */
type Described = Pick<Procedure<StepContext>, "name" | "next">;

/** What the job summary holds: the outcome first, then steps, checks, and what to do next. Markdown. */
export function renderSummary(runbook: Described, report: RunReport, phase: string): string {
  const [word, id] = belongsTo(report);
  const lines = [
    headline(runbook, report),
    "",
    `${word === "operation" ? "Operation" : "Failback"} \`${id}\`, phase **${phase}**.`,
    "",
  ];
  if (report.error instanceof RoundtripError) {
    lines.push(
      `- **What**: ${cell(report.error.what)}`,
      `- **Expected**: ${cell(report.error.expected)}`,
      `- **Got**: ${cell(report.error.got)}`,
      `- **Way out**: ${cell(report.error.wayOut)}`,
      "",
    );
  } else if (report.error) {
    lines.push(`- **Error**: ${cell(String(report.error))}`, "");
  }
  lines.push("| Step | State | Time | Note |", "|---|---|---|---|", ...report.steps.map(row), "");
  const checks = report.steps.flatMap((step) => step.outcome?.checks ?? []);
  if (checks.length > 0) {
    lines.push(
      `<details><summary>${checks.length} check(s)</summary>`,
      "",
      "| Check | Expected | Got |",
      "|---|---|---|",
    );
    for (const check of checks) {
      lines.push(
        `| ${check.ok ? "✅" : "❌"} ${cell(check.name)} | ${cell(check.expected)} | ${cell(check.got)} |`,
      );
    }
    lines.push("", "</details>", "");
  }
  lines.push(`**Next**: ${nextOf(runbook, report)}`);
  return `${lines.join("\n")}\n`;
}

/** The same for a person at a terminal, who has seen the steps go by: the outcome, what stopped it, what to do next. */
export function renderText(runbook: Described, report: RunReport, phase: string, verdict?: Verdict): string {
  const [word, id] = belongsTo(report);
  const lines = [headline(runbook, report).replace(/^## /, ""), `  ${word.padEnd(10)} ${id}, phase ${phase}`];
  if (report.error instanceof RoundtripError) {
    const { what, expected, got, wayOut } = report.error;
    lines.push(
      `  what       ${what}`,
      `  expected   ${expected}`,
      `  got        ${got}`,
      `  way out    ${wayOut}`,
    );
  } else if (report.error) {
    lines.push(`  error      ${String(report.error)}`);
  }
  if (verdict) lines.push(...verdictLines(verdict));
  const checks = report.steps.flatMap((step) => step.outcome?.checks ?? []);
  if (checks.length > 0) {
    const held = checks.filter(({ ok }) => ok).length;
    lines.push(`  checks     ${held} of ${checks.length} hold; each is in the journal`);
  }
  lines.push(`  next       ${nextOf(runbook, report)}`);
  return `${lines.join("\n")}\n`;
}

function verdictLines({
  verdict,
  captured,
  applied,
  tail,
  conflicts,
  reasons,
  failbackId,
}: Verdict): string[] {
  const shown = reasons.slice(0, reasonsShownMax).map((reason) => `               ${reason}`);
  const left = reasons.length - shown.length;
  return [
    `  verdict    ${verdict}: ${captured} captured, ${applied} applied, tail ${tail}, conflicts ${conflicts}`,
    ...shown,
    ...(left > 0 ? [`               and ${left} more in ${keysOf(failbackId).verdict}`] : []),
  ];
}

function belongsTo({ operationId, failbackId }: RunIdentity): ["operation" | "failback", string] {
  return operationId === undefined ? ["failback", failbackId || "none"] : ["operation", operationId];
}

function nextOf(runbook: Described, report: RunReport): string {
  return report.succeeded
    ? runbook.next
    : `mend what is named above and run ${runbook.name} again: it goes on where it stopped`;
}

function headline(runbook: Described, report: RunReport): string {
  const verdict = report.steps.find((step) => step.name === "verdict")?.outcome?.data?.verdict;
  if (report.succeeded) return `## ✅ ${verdict ? `${verdict}: ` : ""}${runbook.name} succeeded`;
  const failed = report.steps.find((step) => step.state === "failed");
  const kind = report.error instanceof RoundtripError ? report.error.kind : "internal";
  const word = kind === "differs" ? "DIFFERS: " : kind === "unknown" ? "UNKNOWN: " : "";
  return `## ❌ ${word}${runbook.name} stopped at step ${failed?.name ?? "?"}`;
}

function row(step: StepReport): string {
  const marks = {
    done: "✅ done",
    "done before": "☑️ done before",
    failed: "❌ failed",
    "not reached": "– not reached",
  };
  const note = step.state === "failed" ? `undo: ${step.undo}` : (step.outcome?.note ?? step.what);
  return `| ${step.name} | ${marks[step.state]} | ${(step.ms / 1000).toFixed(1)} s | ${cell(note)} |`;
}

/** Table cells and lists take no new lines, no bars, and no markup that came from a name in a database. */
function cell(text: string): string {
  return text
    .replace(/[\r\n]+/g, " ")
    .replace(/[|<>`]/g, (mark) => `&#${mark.charCodeAt(0)};`)
    .slice(0, 1500);
}
