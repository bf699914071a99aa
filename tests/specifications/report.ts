/** Sums outcomes up and prints them. */
import type { Outcome } from "./runner.ts";

export interface AreaReport {
  readonly area: string;
  readonly passed: number;
  readonly failed: number;
  readonly notApplicable: number;
  /** Percent of the applicable cases. */
  readonly share: number;
  readonly failures: readonly Outcome[];
  /** Reason → number of cases. */
  readonly reasons: Readonly<Record<string, number>>;
}

export function summarize(area: string, outcomes: readonly Outcome[]): AreaReport {
  const count = (result: Outcome["result"]): number =>
    outcomes.filter((outcome) => outcome.result === result).length;
  const [passed, failed, notApplicable] = [count("passed"), count("failed"), count("notApplicable")];
  const reasons: Record<string, number> = {};
  for (const { result, reason = "" } of outcomes) {
    if (result === "notApplicable") reasons[reason] = (reasons[reason] ?? 0) + 1;
  }
  return {
    area,
    passed,
    failed,
    notApplicable,
    share: passed + failed === 0 ? 0 : Math.floor((passed / (passed + failed)) * 1000) / 10,
    failures: outcomes.filter(({ result }) => result === "failed"),
    reasons,
  };
}

/** One line for the area, then each failure with its first difference. */
export function asText(report: AreaReport): string {
  const { area, passed, failed, notApplicable, share, failures } = report;
  const lines = failures.map(({ file, test, reason }) => `  ${file}: ${test}\n    ${reason}`);
  return [
    `${area}: ${passed} passed, ${failed} failed, ${notApplicable} not applicable (${share} %)`,
    ...lines,
  ].join("\n");
}
