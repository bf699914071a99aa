import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from "node:fs";
import { join } from "node:path";

const fileBytesMax = 64 * 1024 * 1024;

export type JournalStream = "stdout" | "stderr" | "systemd";

export interface JournalEntry {
  /** Grows by one with each entry of this machine, so that entries of several units can be put in order. */
  readonly sequence: number;
  /** ISO 8601 in UTC. */
  readonly time: string;
  readonly unit: string;
  readonly pid: number;
  readonly stream: JournalStream;
  readonly message: string;
}

/** The machine's journal: one `<unit>.jsonl` and one readable `<unit>.log` a unit; one rotation is kept of each. */
export class Journal {
  #sequence: number;
  readonly #sizes = new Map<string, number>();

  constructor(readonly directory: string) {
    mkdirSync(directory, { recursive: true });
    this.#sequence = lastSequence(directory);
  }

  append(unit: string, pid: number, stream: JournalStream, message: string): void {
    const entry: JournalEntry = {
      sequence: ++this.#sequence,
      time: new Date().toISOString(),
      unit,
      pid,
      stream,
      message,
    };
    this.#write(join(this.directory, `${unit}.jsonl`), `${JSON.stringify(entry)}\n`);
    const identifier = stream === "systemd" ? "systemd[1]" : `${unit.replace(/\.service$/, "")}[${pid}]`;
    this.#write(join(this.directory, `${unit}.log`), `${entry.time} ${identifier}: ${message}\n`);
  }

  #write(path: string, text: string): void {
    let size = this.#sizes.get(path) ?? (existsSync(path) ? statSync(path).size : 0);
    if (size > fileBytesMax) {
      renameSync(path, `${path}.1`);
      size = 0;
    }
    appendFileSync(path, text);
    this.#sizes.set(path, size + Buffer.byteLength(text));
  }
}

/** Every entry of the units named (all when none is), oldest first. A line torn by a kill is left out. */
export function readJournal(directory: string, units: readonly string[]): JournalEntry[] {
  const wanted = new Set(units);
  const entries: JournalEntry[] = [];
  for (const file of existsSync(directory) ? readdirSync(directory) : []) {
    const match = /^(.+)\.jsonl(\.1)?$/.exec(file);
    if (!match || (wanted.size > 0 && !wanted.has(match[1]!))) continue;
    for (const line of readFileSync(join(directory, file), "utf8").split("\n")) {
      const entry = parseEntry(line);
      if (entry) entries.push(entry);
    }
  }
  return entries.sort((left, right) => left.sequence - right.sequence);
}

function parseEntry(line: string): JournalEntry | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line) as JournalEntry;
  } catch {
    return undefined;
  }
}

function lastSequence(directory: string): number {
  return readJournal(directory, []).at(-1)?.sequence ?? 0;
}
