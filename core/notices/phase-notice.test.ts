import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import type { CurrentFailback } from "../failback/documents.ts";
import { assertTransition, type Phase, phases } from "../failback/phase.ts";
import { type PhaseChange, phaseChanges, phaseNotice } from "./phase-notice.ts";
import type { SlackMessage } from "./slack-message.ts";

const repository = "https://github.com/acme/data";
const context = { environment: "prod", repository };
const change = (from: Phase, to: Phase, more: Partial<PhaseChange> = {}): PhaseChange => ({
  from,
  to,
  at: "2026-11-21T03:04:05.000Z",
  by: "octocat",
  failbackId: "prod-20261121-030000-ab12",
  ...more,
});

function isLegal(from: Phase, to: Phase): boolean {
  try {
    assertTransition(from, to, "");
    return from !== to;
  } catch {
    return false;
  }
}
const legal = phases.flatMap((from) =>
  phases.filter((to) => isLegal(from, to)).map((to) => [from, to] as const),
);

/** All that Slack is given of a message, as text. */
const shown = (message: SlackMessage) => JSON.stringify(message);
const sectionsOf = ({ blocks }: SlackMessage) =>
  blocks.flatMap((block) => (block.type === "section" ? [block.text.text] : []));

describe("a change of phase", () => {
  test.each(legal)("%s → %s: says what it means, and has a link to what is run next", (from, to) => {
    const message = phaseNotice(change(from, to), context);
    const [meaning = "", next = ""] = sectionsOf(message);
    expect(meaning.length).toBeGreaterThan(60);
    expect(next).toMatch(
      /^\*Next:\* .*<https:\/\/github\.com\/acme\/data\/actions\/workflows\/[a-z-]+\.yml\|[a-z-]+>/,
    );
    expect(message.text).toStartWith(`prod: `);
    for (const word of [from, to]) expect(message.text.split("\n")[0]).toContain(word);
  });

  test("no two changes read the same, but that to capturing from where a restore was called off", () => {
    const headlines = legal.map(([from, to]) => sectionsOf(phaseNotice(change(from, to), context))[0]);
    expect(headlines.length - new Set(headlines).size).toBe(1);
  });

  test("every headline stands in docs/slack.md", () => {
    const page = readFileSync(join(import.meta.dirname, "../../docs/slack.md"), "utf8");
    const missing = legal
      .map(([from, to]) => /^prod: (.*) \(/.exec(phaseNotice(change(from, to), context).text)![1]!)
      .filter((headline) => !page.includes(`| ${headline} |`));
    expect(missing).toEqual([]);
  });

  test("reads as it is meant to", () => {
    expect(phaseNotice(change("restoring", "verified"), context)).toEqual({
      text: [
        "prod: PROVEN (restoring → verified)",
        "MongoDB holds what DocumentDB holds. Nobody can write until <https://github.com/acme/data/actions/workflows/failback-clean.yml|failback-clean> opens MongoDB: the applications are waiting for it.",
        "*Next:* <https://github.com/acme/data/actions/workflows/failback-clean.yml|failback-clean>",
      ].join("\n"),
      blocks: [
        { type: "header", text: { type: "plain_text", text: "prod: PROVEN (restoring → verified)" } },
        { type: "section", text: { type: "mrkdwn", text: expect.stringContaining("MongoDB holds") } },
        { type: "section", text: { type: "mrkdwn", text: expect.stringContaining("*Next:*") } },
        {
          type: "context",
          elements: [
            {
              type: "mrkdwn",
              text: "failback prod-20261121-030000-ab12 · by octocat · 2026-11-21T03:04:05.000Z",
            },
          ],
        },
      ],
    });
  });

  test("where no repository is known, runbooks are named without a link", () => {
    const text = shown(phaseNotice(change("normal", "capturing"), { environment: "dev" }));
    expect(text).toContain("failback-restore");
    expect(text).not.toMatch(/<|undefined/);
  });

  test("whatever people wrote: nothing of it is markup of Slack's, and every limit holds", () => {
    const anything = fc.string({ unit: "binary", maxLength: 5_000 });
    const mention = fc.constantFrom("<!channel>", "<@U123>", "<https://x|y>", "a & b", "\n*x*", "&lt;");
    fc.assert(
      fc.property(
        fc.constantFrom(...legal),
        fc.oneof(anything, mention),
        anything,
        ([from, to], by, failbackId) => {
          const message = phaseNotice(change(from, to, { by, failbackId }), { environment: "dev" });
          expect(shown(message)).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
          expect(message.text.length).toBeLessThanOrEqual(4_000);
          for (const block of message.blocks) {
            const texts =
              block.type === "context" ? block.elements.map(({ text }) => text) : [block.text.text];
            const max = { header: 150, section: 3_000, context: 2_000 }[block.type];
            for (const text of texts)
              expect({ long: text.length > max, empty: text === "" }).toEqual({ long: false, empty: false });
          }
        },
      ),
    );
  });
});

describe("the changes in a document", () => {
  const document = (...history: Phase[]): CurrentFailback => ({
    version: 1,
    environment: "dev",
    failbackId: "fb-2",
    phase: history.at(-1) ?? "normal",
    history: history.map((phase, index) => ({ phase, at: `2026-11-21T00:00:0${index}Z`, by: "octocat" })),
  });
  const told = (...history: Phase[]) =>
    phaseChanges(document(...history)).map(({ from, to, failbackId }) =>
      `${from} ${to} ${failbackId}`.trim(),
    );

  test("each is from the phase before; what was before the last opening belongs to an earlier failback", () => {
    expect(told("capturing", "normal", "capturing", "draining")).toEqual([
      "normal capturing",
      "capturing normal",
      "normal capturing fb-2",
      "capturing draining fb-2",
    ]);
  });

  test("the one that ends a failback belongs to it", () => {
    expect(told("capturing", "normal")).toEqual(["normal capturing fb-2", "capturing normal fb-2"]);
  });

  test("none where none was ever opened", () => {
    expect(told()).toEqual([]);
  });

  test("what is told late of an earlier failback says so", () => {
    expect(shown(phaseNotice(change("normal", "capturing", { failbackId: "" }), context))).toContain(
      "an earlier failback, told late",
    );
  });
});
