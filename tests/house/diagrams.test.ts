/** Pictures in the pages say what the code does, or are red. */
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unitParameter } from "../../core/actions/parameter.ts";
import { keysOf } from "../../core/failback/layout.ts";
import { assertTransition, type Phase, phases } from "../../core/failback/phase.ts";
import { runbooks } from "../../runbooks/catalog.ts";
import { sequenceDiagram } from "../../scripts/diagrams/sequence.ts";
import { sequencePages } from "../../scripts/generate-diagrams.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const page = read("docs/data-flow.md");

test("the sequence on each page is that of its steps (bun scripts/generate-diagrams.ts)", async () => {
  const pages = await sequencePages();
  for (const [path, text] of pages) expect(`${path}\n${read(path)}`).toBe(`${path}\n${text}`);
  expect([...pages.keys()]).toContain("docs/apply.md");
});

test("a sequence names each step, who is asked, and neither ids nor what Mermaid would take for its own", () => {
  const call = (words: string, target = "x") => ({ call: words, target });
  const steps = [
    {
      step: "look",
      what: "",
      calls: [call("S3 GetObject", "failback/id-1/scope.json"), call("compare both")],
    },
    {
      step: "act",
      what: "",
      calls: [
        call("DMS StopReplicationTask (a; b)"),
        { ...call("SSM roundtrip-dev-start-service"), parameters: { unit: "restore.service" } },
      ],
    },
  ];
  expect(sequenceDiagram(steps, "id-1").split("\n")).toEqual([
    "sequenceDiagram",
    "  participant Runner",
    "  participant S3",
    "  participant DMS",
    "  participant Host",
    "  Note over Runner: 1. look",
    "  Runner->>S3: GetObject failback/‹id›/scope.json",
    "  Runner->>Runner: compare both",
    "  Note over Runner: 2. act",
    "  Runner->>DMS: StopReplicationTask (a, b)",
    "  Runner->>Host: start-service restore.service",
  ]);
});

describe("docs/data-flow.md", () => {
  test("shows every service of the failback host, and no other", () => {
    const units = [...(unitParameter.allowedValues ?? [])];
    const shown = new Set([...page.matchAll(/"([a-z-]+\.service)"/g)].map(([, name]) => name));
    expect([...shown].sort()).toEqual(units.sort());
  });

  test("docs/backups.md shows the others, those of the operations host", () => {
    const known = unitParameter.allowedValues ?? [];
    const units = readdirSync(join(root, "services/units")).filter(
      (name) => name.endsWith(".service") && !known.includes(name),
    );
    const backups = read("docs/backups.md");
    expect(units.filter((name) => !backups.includes(`\`${name}\``))).toEqual([]);
  });

  test("shows every way from one phase to another, by the runbook that takes it", () => {
    const allowed = phases.flatMap((from) =>
      phases.filter((to) => from !== to && isAllowed(from, to)).map((to) => `${from} --> ${to}`),
    );
    const edges = [...page.matchAll(/^ {2}([a-z]+ --> [a-z]+): (.+)$/gm)];
    expect(edges.map(([, edge]) => edge).sort()).toEqual(allowed.sort());
    const names: readonly string[] = runbooks.map(({ name }) => name);
    for (const [, , label = ""] of edges) {
      const named = /failback-[a-z]+/.exec(label)?.[0];
      if (named) expect(names).toContain(named);
    }
  });

  test("names folders of the bucket that are there", () => {
    const keys = keysOf("‹id›");
    const known = [keys.log, keys.manifests, keys.dump("mongodb"), keys.archive, keys.verdict].join(" ");
    for (const [, folder = ""] of page.matchAll(/\b([a-z]+\/)(?= |"|<|\))/g)) expect(known).toContain(folder);
  });
});

function isAllowed(from: Phase, to: Phase): boolean {
  try {
    assertTransition(from, to, "id");
    return true;
  } catch {
    return false;
  }
}
