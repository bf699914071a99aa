import { plain, within } from "../plan/markdown.ts";
import { counted } from "../plan/words.ts";
import type { Fact, ReadinessReport } from "./model.ts";

const words = { ready: "READY", "not-ready": "NOT READY", unknown: "UNKNOWN" } as const;
const sentences = {
  ready: "a failback would succeed now, as far as facts can say",
  "not-ready": "a failback would not succeed now",
  unknown: "nothing that was read forbids a failback, but not everything could be read; unknown is not ready",
} as const;
const listLengthMax = 25_000;

/** The report as plain text: verdict first, then what has to be mended. */
export function renderReadinessTerminal(report: ReadinessReport): string {
  const { facts } = report;
  const group = (title: string, chosen: readonly Fact[]) =>
    chosen.length > 0
      ? [
          "",
          title,
          ...chosen.flatMap(({ name, limit, value, wayOut }) => [
            `  ${name}`,
            `    limit    ${limit}`,
            `    value    ${value}`,
            ...(wayOut ? [`    way out  ${wayOut}`] : []),
          ]),
        ]
      : [];
  const holding = facts.filter(({ state }) => state === "holds");
  const width = Math.max(0, ...holding.map(({ name }) => name.length));
  return [
    `${report.environment}: ${headline(report)}`,
    ...group("Fails", deciding(facts, "fails")),
    ...group("Not known", deciding(facts, "unknown")),
    ...group("Worth a look, doesn't decide", asides(facts)),
    ...(holding.length > 0
      ? ["", "Holds", ...holding.map(({ name, value }) => `  ${name.padEnd(width)}  ${value}`)]
      : []),
    "",
  ].join("\n");
}

/** The report for a job summary or an issue. */
export function renderReadinessMarkdown(report: ReadinessReport): string {
  const { facts, environment } = report;
  const group = (title: string, chosen: readonly Fact[]) =>
    chosen.length > 0
      ? [
          `**${title}**`,
          "",
          ...within(
            chosen.map(
              ({ name, limit, value, wayOut }) =>
                `- ${plain(name)}\n  - limit: ${plain(limit)}\n  - value: ${plain(value)}${wayOut ? `\n  - way out: ${plain(wayOut)}` : ""}`,
            ),
            listLengthMax,
          ),
          "",
        ]
      : [];
  const holding = facts.filter(({ state }) => state === "holds");
  return [
    `<!-- roundtrip:readiness:${environment} -->`,
    `### ${environment}: ${headline(report)}`,
    "",
    ...group("Fails", deciding(facts, "fails")),
    ...group("Not known", deciding(facts, "unknown")),
    ...group("Worth a look, doesn't decide", asides(facts)),
    ...(holding.length > 0
      ? [
          `<details><summary>${counted(holding.length, "fact")} that hold</summary>`,
          "",
          "| Fact | Limit | Value |",
          "|---|---|---|",
          ...within(
            holding.map(({ name, limit, value }) => `| ${plain(name)} | ${plain(limit)} | ${plain(value)} |`),
            10_000,
          ),
          "",
          "</details>",
          "",
        ]
      : []),
  ].join("\n");
}

function headline({ verdict, facts }: ReadinessReport): string {
  const counts = [
    [deciding(facts, "fails").length, "fails"],
    [deciding(facts, "unknown").length, "not known"],
    [facts.filter(({ state }) => state === "holds").length, "hold"],
  ] as const;
  const shown = counts
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${count > 1 && word === "fails" ? "fail" : word}`);
  return `${words[verdict]}, ${sentences[verdict]} (${shown.join(", ")})`;
}

function deciding(facts: readonly Fact[], state: Fact["state"]): Fact[] {
  return facts.filter((fact) => fact.decides && fact.state === state);
}

function asides(facts: readonly Fact[]): Fact[] {
  return facts.filter(({ decides, state }) => !decides && state !== "holds");
}
