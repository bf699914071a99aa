import type { Random } from "../drill/random.ts";

/** Seeded damage to tasks files: the same seed and number give the same text. */

/** What has a meaning in YAML, in names, in JavaScript, or shows as nothing. */
const fragments: readonly string[] = [
  ..."[]{}:,-?&*!|>'\"%@`#\t\n\r \u0000\u0007\u202e\ufeff\u2028\ud800_$.",
  "&a ",
  "*a",
  "<<: *a",
  "__proto__: {x: 1}\n",
  "constructor: 1\n",
  "!!binary ",
  "!!set {a, b}",
  "---\n",
  "...\n",
  "? ",
  "- - - ",
  "[[[[[[[[",
  "{a: {a: {a: ",
  "system.",
  "admin",
  "~",
  "null",
  ".inf",
  "0x7fffffffffffffff",
  "1e999",
  "2026-11-21",
  "\\u0000",
  "'",
  '"\\x',
  "|\n  ",
  ">-\n",
  "version: 1\n",
  "  - {id: a, database: d, collections: [c]}\n",
  "é".repeat(70),
  "x".repeat(300),
];

const mutationsMax = 6;

/** A text with one to six changes: pieces cut, doubled, moved, exchanged, or foreign ones put in. */
export function mutate(text: string, random: Random): string {
  let mutated = text;
  const count = 1 + random.integer(mutationsMax);
  for (let turn = 0; turn < count; turn++) mutated = mutateOnce(mutated, random);
  return mutated;
}

function mutateOnce(text: string, random: Random): string {
  const below = (limit: number) => random.integer(limit);
  const at = below(text.length + 1);
  const length = below(random.next() < 0.2 ? 200 : 12);
  const piece = text.slice(at, at + length);
  const fragment = fragments[below(fragments.length)]!;
  switch (below(8)) {
    case 0:
      return text.slice(0, at) + text.slice(at + length);
    case 1:
      return text.slice(0, at) + piece.repeat(1 + below(40)) + text.slice(at);
    case 2:
      return text.slice(0, at) + fragment + text.slice(at);
    case 3:
      return text.slice(0, at) + fragment.repeat(1 + below(60)) + text.slice(at + length);
    case 4: {
      const target = below(text.length + 1);
      const without = text.slice(0, at) + text.slice(at + length);
      return without.slice(0, target) + piece + without.slice(target);
    }
    case 5:
      return text.slice(0, at) + String.fromCharCode(below(0x10000)) + text.slice(at + 1);
    case 6:
      return swapLines(text, below);
    default:
      return text.slice(0, at) + text.slice(at).replace(/[\w-]+/, fragment.replaceAll("$", "$$$$"));
  }
}

function swapLines(text: string, below: (limit: number) => number): string {
  const lines = text.split("\n");
  const [left, right] = [below(lines.length), below(lines.length)];
  [lines[left], lines[right]] = [lines[right]!, lines[left]!];
  // Shifting a line in or out is what people do to YAML by mistake.
  lines[left] = " ".repeat(below(4)) + lines[left]!.slice(below(3));
  return lines.join("\n");
}
