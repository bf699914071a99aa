import { plain, within } from "../plan/markdown.ts";
import { summaryOf } from "./drift.ts";
import { type DriftReport, driftAreas, type Finding } from "./model.ts";

/** GitHub refuses an issue above 65,536 characters. */
const markdownLengthMax = 60_000;

/** The issue of an environment is found by this line, whatever a person made of its title. */
export function driftMarker(environment: string): string {
  return `<!-- roundtrip:drift:${environment} -->`;
}

/**
 * The body of the one issue of an environment. Nothing in it changes from day to day but what is told: no times, no
 * counts of documents. A clean report's text closes the issue.
 */
export function renderDriftMarkdown(report: DriftReport): string {
  const { environment, findings, unread, notes, verdict } = report;
  const clean = verdict === "clean" ? " Everything stands as it was applied: this issue can be closed." : "";
  const opening = [
    driftMarker(environment),
    `### ${headline(report)}`,
    "",
    plain(appliedLine(report)) + clean,
    "",
  ];
  const closing = [
    ...(unread.length > 0
      ? [
          "**Could not be read, so not known**",
          "",
          ...unread.map(({ area, reason }) => `- ${area}: ${plain(reason)}`),
          "",
        ]
      : []),
    ...(notes.length > 0
      ? [
          `<details><summary>Notes, no drift</summary>`,
          "",
          ...within(
            notes.map((note) => `- ${plain(note)}`),
            10_000,
          ),
          "",
          "</details>",
          "",
        ]
      : []),
  ];
  const room = markdownLengthMax - [...opening, ...closing].join("\n").length;
  return [...opening, ...within(byArea(findings), room), ...closing].join("\n");
}

function byArea(findings: readonly Finding[]): string[] {
  return driftAreas.flatMap((area) => {
    const found = findings.filter((finding) => finding.area === area);
    if (found.length === 0) return [];
    return [`**${titles[area]}**`, "", ...found.map(item), ""];
  });
}

const titles: Readonly<Record<Finding["area"], string>> = {
  git: "git: not applied yet",
  terraform: "Terraform",
  dms: "DMS",
  documentdb: "DocumentDB",
  mongodb: "MongoDB",
};

function item({ what, expected, got, fix }: Finding): string {
  return `- [ ] ${plain(what)}\n  - expected: ${plain(expected)}\n  - got: ${plain(got)}\n  - fix: ${plain(fix)}`;
}

/** The report as plain text. */
export function renderDriftTerminal(report: DriftReport): string {
  const { findings, unread, notes } = report;
  return [
    headline(report),
    `  ${appliedLine(report)}`,
    ...findings.flatMap(({ what, expected, got, fix }, index) => [
      ...(index === 0 || findings[index - 1]!.area !== findings[index]!.area
        ? ["", titles[findings[index]!.area]]
        : []),
      `  ${what}`,
      `    expected  ${expected}`,
      `    got       ${got}`,
      `    fix       ${fix}`,
    ]),
    ...(unread.length > 0
      ? ["", "Could not be read, so not known", ...unread.map(({ area, reason }) => `  ${area}: ${reason}`)]
      : []),
    ...(notes.length > 0 ? ["", "Notes, no drift", ...notes.map((note) => `  ${note}`)] : []),
    "",
  ].join("\n");
}

function headline(report: DriftReport): string {
  if (report.verdict === "drift") return `Drift in ${report.environment}: ${summaryOf(report)}`;
  if (report.verdict === "unknown")
    return `Drift in ${report.environment} is UNKNOWN: nothing differs in what could be read`;
  return `No drift in ${report.environment}`;
}

function appliedLine({ applied }: DriftReport): string {
  return applied
    ? `Compared with commit ${applied.commit.slice(0, 12)}, applied ${applied.appliedAt} by ${applied.by.actor}.`
    : "Nothing was ever applied here.";
}
