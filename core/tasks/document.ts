import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { hiddenCharacter, quoted, spellOut } from "./names.ts";

/** A fault of the text itself, at an offset: the value can't be trusted until it is mended. */
export interface TextFault {
  readonly code: string;
  readonly offset: number;
  readonly message: string;
  readonly fix: string;
}

/** Characters. 10,000 tasks with their settings are about 3 million; more isn't a file that people edit. */
export const fileLengthMax = 16 * 1024 * 1024;
const depthMax = 64;
/** Refused unread: the YAML reader takes seconds to fail on such text. More than a comment's ruler ever has. */
const nestingNobodyWrites = 1000;
const aliasesMax = 200;
/** Nodes that all aliases together may stand for. */
const aliasedNodesMax = 100_000;

/** Faults beside which the rest of the file can still be judged. */
const harmless = new Set(["hidden-character", "duplicate-key", "yaml-tag"]);

export interface ReadDocument {
  readonly document?: Document;
  /** The file in plain objects; absent when a fault makes it doubtful. */
  readonly value?: { readonly plain: unknown };
  readonly faults: readonly TextFault[];
}

/** Reads YAML strictly: no duplicate or strange keys, no tags, bounded anchors, no hidden characters. Never throws. */
export function readDocument(text: string): ReadDocument {
  if (text.length > fileLengthMax) {
    const message = `${text.length} characters; expected at most ${fileLengthMax}`;
    return { faults: [{ code: "file-too-large", offset: 0, message, fix: "remove what isn't a task" }] };
  }
  const hidden = hiddenFaults(text);
  const deep = deepestAt(text, nestingNobodyWrites);
  if (deep !== undefined) return { faults: [...hidden, tooDeep(deep)] };
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, resolveKnownTags: false });
  } catch (error) {
    return { faults: [...hidden, unreadable(text, error)] };
  }
  const errors = [...document.errors, ...document.warnings];
  const overflow = errors.find(({ message }) => /call stack/.test(message));
  if (overflow) return { faults: [...hidden, unreadable(text, overflow)] };
  const nodes = new Nodes();
  const { plain } = nodes.read(document.contents, 0);
  const faults = [...hidden, ...syntaxFaults(errors), ...nodes.faults];
  const readable = faults.every(({ code }) => harmless.has(code));
  return { document, faults, ...(readable ? { value: { plain } } : {}) };
}

function hiddenFaults(text: string): TextFault[] {
  const faults: TextFault[] = [];
  const start = text.startsWith("\ufeff") ? 1 : 0;
  const pattern = new RegExp(hiddenCharacter.source, "gu");
  pattern.lastIndex = start;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    faults.push({
      code: "hidden-character",
      offset: match.index,
      message: `${spellOut(match[0])} in the text; expected characters that can be seen`,
      fix: "delete the character",
    });
  }
  return faults;
}

function tooDeep(offset: number): TextFault {
  return {
    code: "too-deep",
    offset,
    message: `nested more than ${depthMax} levels; expected the few levels of tasks.schema.json`,
    fix: "remove the nesting",
  };
}

/** The YAML reader is recursive, so what is nested very deep ends its stack; the place is found afterwards. */
function unreadable(text: string, error: unknown): TextFault {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError || /call stack/.test(message))
    return tooDeep(deepestAt(text, depthMax) ?? 0);
  return {
    code: "yaml-syntax",
    offset: 0,
    message: `the text can't be read as YAML (${message}); expected YAML 1.2`,
    fix: "undo the last change to the file",
  };
}

/** Where brackets, or dashes of lists in lists, stand that many in a row. */
function deepestAt(text: string, levels: number): number | undefined {
  return new RegExp(`(?:[[{][\\s,]*){${levels}}|(?:[-?:][ \\t]+){${levels}}`).exec(text)?.index;
}

/** Each fault once: one unclosed bracket makes the YAML reader complain of every level around it. */
function syntaxFaults(errors: readonly YAMLError[]): TextFault[] {
  const faults = new Map<string, TextFault>();
  for (const error of errors) {
    const fault = syntaxFault(error);
    faults.set(`${fault.offset} ${fault.message}`, fault);
  }
  return [...faults.values()];
}

function syntaxFault(error: YAMLError): TextFault {
  const [offset] = error.pos;
  if (error.code === "TAG_RESOLVE_FAILED")
    return {
      code: "yaml-tag",
      offset,
      message: `${error.message}; expected values without tags`,
      fix: "remove the tag",
    };
  const message =
    error.code === "MULTIPLE_DOCS"
      ? "a second document begins here; expected one document"
      : `${error.message.split("\n")[0]}; expected YAML 1.2`;
  return { code: "yaml-syntax", offset, message, fix: "mend the line" };
}

/** What a node stands for, and how many nodes that are, what aliases stand for included. */
interface ReadNode {
  readonly plain: unknown;
  readonly size: number;
}

/** One pass over the nodes: their values in plain objects, and what is wrong with keys and anchors. */
class Nodes {
  readonly faults: TextFault[] = [];
  /** What an anchor stands for; undefined while it is still being read. */
  readonly #anchors = new Map<string, ReadNode | undefined>();
  #aliases = 0;
  #aliased = 0;

  read(node: unknown, depth: number): ReadNode {
    const offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
    if (depth > depthMax) {
      this.faults.push(tooDeep(offset));
      return { plain: undefined, size: 1 };
    }
    const anchor = isNode(node) && "anchor" in node ? node.anchor : undefined;
    if (anchor) this.#anchors.set(anchor, undefined);
    const read = this.#value(node, offset, depth);
    if (anchor) this.#anchors.set(anchor, read);
    return read;
  }

  #value(node: unknown, offset: number, depth: number): ReadNode {
    if (isScalar(node)) return { plain: node.value, size: 1 };
    if (isMap(node)) return this.#map(node, depth);
    if (isSeq(node)) return this.#sequence(node, depth);
    return isAlias(node) ? this.#alias(node.source, offset) : { plain: null, size: 1 };
  }

  #sequence({ items }: YAMLSeq, depth: number): ReadNode {
    const plain: unknown[] = [];
    let size = 1;
    for (const item of items) {
      // Most nodes by far.
      if (isScalar(item) && !item.anchor && depth < depthMax) {
        plain.push(item.value);
        size++;
        continue;
      }
      const read = this.read(item, depth + 1);
      plain.push(read.plain);
      size += read.size;
    }
    return { plain, size };
  }

  #map(map: YAMLMap, depth: number): ReadNode {
    const plain: Record<string, unknown> = {};
    let size = 1;
    for (const { key, value } of map.items) {
      const read = this.read(value, depth + 1);
      size += 1 + read.size;
      if (!isScalar(key) || typeof key.value !== "string") {
        this.#keyFault(map, key, "key-not-text", {
          message: "a key that is not text; expected one of the keys of tasks.schema.json",
          fix: "write the key as a plain word",
        });
        continue;
      }
      if (Object.hasOwn(plain, key.value)) {
        this.#keyFault(map, key, "duplicate-key", {
          message: `key ${quoted(key.value)} stands here twice; expected each key once`,
          fix: "keep one of the two",
        });
      }
      if (key.value === "__proto__") own(plain, key.value, read.plain);
      else plain[key.value] = read.plain;
    }
    return { plain, size };
  }

  #keyFault(map: YAMLMap, key: unknown, code: string, words: { message: string; fix: string }): void {
    const offset = (isNode(key) ? key.range?.[0] : undefined) ?? map.range?.[0] ?? 0;
    this.faults.push({ code, offset, ...words });
  }

  #alias(name: string, offset: number): ReadNode {
    this.#aliases += 1;
    const fault = (code: string, message: string) => {
      this.faults.push({ code, offset, message, fix: "write the value out" });
      return { plain: undefined, size: 1 };
    };
    if (!this.#anchors.has(name))
      return fault("unknown-anchor", `*${name} has no anchor before it; expected &${name} above`);
    const target = this.#anchors.get(name);
    if (!target)
      return fault(
        "anchor-cycle",
        `*${name} stands inside &${name}; expected an anchor that doesn't hold itself`,
      );
    const before = this.#aliased;
    this.#aliased += target.size;
    if (this.#aliases === aliasesMax + 1)
      return fault("too-many-aliases", `*${name} is alias ${this.#aliases}; expected at most ${aliasesMax}`);
    if (this.#aliased > aliasedNodesMax && before <= aliasedNodesMax)
      return fault(
        "too-many-aliases",
        `*${name} makes aliases stand for more than ${aliasedNodesMax} values; expected fewer`,
      );
    return { plain: target.plain, size: 1 + target.size };
  }
}

/** A key that assignment would take for the prototype. */
function own(plain: object, key: string, value: unknown): void {
  Object.defineProperty(plain, key, { value, enumerable: true, configurable: true, writable: true });
}
