import { describe, expect, test } from "bun:test";
import { driftMarker, renderDriftMarkdown, renderDriftTerminal } from "./render.ts";
import { drift, standing, withCollections, withTask } from "./sample.ts";

describe("rendering", () => {
  const dirty = () =>
    drift({ ...withTask({ status: "failed" }), documentdb: { reachable: false, reason: "down" } });

  test("the issue's text: marker first, each finding with its fix, nothing that moves", () => {
    const text = renderDriftMarkdown(dirty());
    expect(text.split("\n").slice(0, 4)).toEqual([
      "<!-- roundtrip:drift:prod -->",
      "### Drift in prod: 1 finding: 1 in dms",
      "",
      "Compared with commit 0123456789ab, applied 2026-11-20T10:00:00.000Z by ada.",
    ]);
    expect(text).toContain("- [ ] DMS task shop-orders\n  - expected: running\n  - got: failed\n  - fix: ");
    expect(text).toContain("**Could not be read, so not known**\n\n- documentdb: down");
    expect(text).not.toContain("2026-11-21");
    expect(driftMarker("prod")).toBe(text.split("\n")[0]!);
  });

  test("clean text closes, unknown text does not", () => {
    expect(renderDriftMarkdown(drift(standing()))).toContain("### No drift in prod\n");
    expect(renderDriftMarkdown(drift(standing()))).toContain("this issue can be closed");
    const unknown = renderDriftMarkdown(
      drift({ ...standing(), mongodb: { reachable: false, reason: "down" } }),
    );
    expect(unknown).toContain("Drift in prod is UNKNOWN");
    expect(unknown).not.toContain("closed");
  });

  test("names are other people's text: no markup and no second line comes of them", () => {
    const names = ["orders", "lines", "a\n# <b>@you</b>"];
    const text = renderDriftMarkdown(drift(withCollections("documentdb", "shop", names, "dev")));
    expect(text).not.toContain("<b>");
    expect(text).not.toContain("\n# ");
    expect(text).not.toContain("@you");
  });

  test("thousands of findings stay below GitHub's limit and say how many were left out", () => {
    const names = Array.from({ length: 5000 }, (_, index) => `collection-${index}`);
    const text = renderDriftMarkdown(drift(withCollections("documentdb", "shop", names, "dev")));
    expect(text.length).toBeLessThan(65_536);
    expect(text).toMatch(/\d+ more lines are in the JSON/);
  });

  test("the same state, told in another order, gives the same report", () => {
    const live = standing();
    if (!live.dms.reachable) throw new Error("unreachable");
    const turned = {
      ...live,
      dms: {
        reachable: true as const,
        tasks: live.dms.tasks.toReversed().map((task) => ({ ...task, status: "failed" })),
      },
    };
    const straight = {
      ...live,
      dms: { reachable: true as const, tasks: live.dms.tasks.map((task) => ({ ...task, status: "failed" })) },
    };
    expect(renderDriftTerminal(drift(turned))).toBe(renderDriftTerminal(drift(straight)));
  });
});
