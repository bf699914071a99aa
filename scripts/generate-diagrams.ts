import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { samplePlans } from "./diagrams/sample-plans.ts";
import { sequenceDiagram } from "./diagrams/sequence.ts";

const root = join(import.meta.dirname, "..");
const begin = "<!-- sequence: bun scripts/generate-diagrams.ts -->";
const end = "<!-- /sequence -->";

/** The page of each runbook and operation by its path, with the sequence of its steps between the marks, or at its end. */
export async function sequencePages(): Promise<ReadonlyMap<string, string>> {
  const plans = await samplePlans();
  return new Map(
    plans.map(({ page, steps, id }) => {
      const diagram = `${begin}\n\n\`\`\`mermaid\n${sequenceDiagram(steps, id)}\n\`\`\`\n\n${end}`;
      return [page, withDiagram(readFileSync(join(root, page), "utf8"), diagram)];
    }),
  );
}

function withDiagram(text: string, diagram: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from >= 0 && to > from) return `${text.slice(0, from)}${diagram}${text.slice(to + end.length)}`;
  return `${text.trimEnd()}\n\n## Who asks whom\n\n${diagram}\n`;
}

if (import.meta.main) {
  const pages = await sequencePages();
  for (const [page, text] of pages) writeFileSync(join(root, page), text);
  process.stderr.write(`${pages.size} sequence diagrams\n`);
}
