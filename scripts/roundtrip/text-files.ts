import { readFile } from "node:fs/promises";
import type { SourceNames } from "../../core/tasks/import-rules.ts";
import { usageError } from "./command.ts";

/** The source's collections, one `database.collection` a line; lines that begin with # say nothing. */
export function sourceNames(text: string, file: string): SourceNames {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const dot = line.indexOf(".");
      if (dot > 0 && dot < line.length - 1)
        return { database: line.slice(0, dot), collection: line.slice(dot + 1) };
      throw usageError(`read ${file}`, line, "one database.collection a line");
    });
}

/** A file as UTF-8; one that isn't there or isn't UTF-8 is a usage error. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(file));
  } catch (cause) {
    const got = (cause as NodeJS.ErrnoException).code ?? "bytes that are not UTF-8";
    throw usageError(`read ${file}`, got, "name a file that exists and can be read as UTF-8");
  }
}
