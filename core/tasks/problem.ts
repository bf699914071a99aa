import { type Document, isAlias, isMap, isScalar, isSeq, type Node } from "yaml";
import { hiddenCharacter, spellOut } from "./names.ts";

export type PathPart = string | number;

/** What a rule found: no position yet, so that rules stay functions over plain values. */
export interface Finding {
  readonly code: string;
  readonly path: readonly PathPart[];
  /** The offending text, then what was expected. */
  readonly message: string;
  readonly fix: string;
  /** Points at the key instead of its value. */
  readonly atKey?: boolean;
}

/** What is wrong with a tasks file, and where; lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly path: string;
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** Line and column of an offset, by binary search over where lines start. */
export class Lines {
  readonly #starts: number[] = [0];

  constructor(readonly text: string) {
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  at(offset: number): { line: number; column: number } {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 };
  }
}

/** `tasks[3].collections[2]`; the whole file is `.`. Keys that aren't plain words stand in quotes. */
export function pathText(path: readonly PathPart[]): string {
  const text = path
    .map((part) => {
      if (typeof part === "number") return `[${part}]`;
      return /^[\w-]+$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`;
    })
    .join("");
  return text.replace(/^\./, "") || ".";
}

/** Where in the text a path of the value stands: its value, its key, or the nearest thing around it. */
export function offsetOf(document: Document, path: readonly PathPart[], atKey = false): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, part] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const last = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (!pair) return offset;
      offset = (last && atKey ? undefined : startOf(pair.value)) ?? startOf(pair.key) ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function startOf(node: unknown): number | undefined {
  const { range } = (node ?? {}) as Partial<Node>;
  // An empty value has a range of no length somewhere behind its key: the key is the better place.
  return range && range[1] > range[0] ? range[0] : undefined;
}

/** By place in the file, then by code: the same file gives the same list. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const byText = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);
  return [...problems].sort(
    (left, right) =>
      left.line - right.line ||
      left.column - right.column ||
      byText(left.code, right.code) ||
      byText(left.path, right.path),
  );
}

/** `tasks.yaml:14:7 tasks[0].collections[2]: "a_b" …; expected …; fix: …` */
export function problemText(problem: Problem): string {
  const { file, line, column, path, message, fix } = problem;
  return visible(`${file}:${line}:${column} ${path}: ${message}; fix: ${fix}`);
}

/** A workflow command that makes GitHub show the problem at its line. */
export function problemAnnotation(problem: Problem): string {
  const { file, line, column, code, path, message, fix } = problem;
  const place = `file=${property(file)},line=${line},col=${column},title=${property(code)}`;
  return `::error ${place}::${data(visible(`${path}: ${message}; fix: ${fix}`))}`;
}

/** No text of a file reaches a terminal or a log with characters that hide or turn it. */
function visible(text: string): string {
  return text.replace(new RegExp(`${hiddenCharacter.source}|[\r\n]`, "gu"), spellOut);
}

// Escapes as GitHub's toolkit makes them.
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(visible(text)).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
