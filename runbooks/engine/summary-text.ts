import { RoundtripError } from "../../core/errors.ts";
import type { Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { belongsTo, type Described, headline, nextOf } from "./outcome.ts";
import type { RunReport } from "./run.ts";

const reasonsShownMax = 10;

/** How a run ended, for a person at a terminal who has seen the steps go by: the outcome, what stopped it, what to do next. */
export function renderText(runbook: Described, report: RunReport, phase: string, verdict?: Verdict): string {
  const [word, id] = belongsTo(report);
  const lines = [headline(runbook, report), `  ${word.padEnd(10)} ${id}, phase ${phase}`];
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

function verdictLines(found: Verdict): string[] {
  const { verdict, captured, applied, tail, conflicts, reasons, failbackId } = found;
  const shown = reasons.slice(0, reasonsShownMax).map((reason) => `               ${reason}`);
  const left = reasons.length - shown.length;
  return [
    `  verdict    ${verdict}: ${captured} captured, ${applied} applied, tail ${tail}, conflicts ${conflicts}`,
    ...shown,
    ...(left > 0 ? [`               and ${left} more in ${keysOf(failbackId).verdict}`] : []),
  ];
}
