import { expect, test } from "bun:test";
import type { RunReport } from "../../runbooks/engine/run.ts";
import { renderSummary } from "../../runbooks/engine/summary.ts";
import { draw } from "./browser.ts";

const hostile = [
  "section x",
  "a:crit, 0, 9",
  "%%{init: {'theme':'dark'}}%%",
  "```\n# heading",
  "click a href javascript:alert(1)",
  '<img src=x onerror="document.title=1">',
  "| a | b |",
  "[link](http://evil.example)",
  "<!-- comment",
  "2026-01-01 x",
];

function reportOf(names: readonly string[]): RunReport {
  const steps = names.map((name, index) => ({
    name,
    what: name,
    undo: "u",
    state: "done" as const,
    ms: 1000,
    startedAt: new Date(1_795_255_200_000 + index * 1000).toISOString(),
    outcome: { note: name, checks: [{ name, ok: true, expected: name, got: name }] },
  }));
  return { runbook: names[0]!, failbackId: "f1", succeeded: true, steps };
}

test("a summary of hostile names is drawn as it was meant: a bar and a row each, nothing of theirs is markup", async () => {
  const runbook = { name: "failback-start", next: "nothing" };
  const { html, height } = await draw(renderSummary(runbook, reportOf(hostile), "capturing"));
  const main = html.slice(html.indexOf("<main>"), html.indexOf("</main>"));
  expect(height).toBeGreaterThan(500);
  expect(main.match(/Syntax error|<img|<h1|language-mermaid|<script/g)).toBeNull();
  // An address is shown as what it is, under no other words.
  expect(main.match(/<a [^>]*>(?!http:\/\/evil\.example<)/g)).toBeNull();
  expect(main.match(/<rect [^>]*class="task /g)).toHaveLength(hostile.length);
  expect(main.match(/<tr>/g)?.length).toBe(2 * (1 + hostile.length));
  expect(main.includes("&lt;img src=x onerror=")).toBe(true);
}, 60_000);
