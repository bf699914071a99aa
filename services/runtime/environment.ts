import { readFile } from "node:fs/promises";
import { RoundtripError } from "../../core/errors.ts";
import type { Environment } from "../../core/failback/documents.ts";

const requiredTexts = ["environment", "region", "bucket", "documentdb.secret", "mongodb.secret"] as const;

/**
 * Reads the file that ROUNDTRIP_CONFIG names. Fails `configuration` naming the field. What is checked is what a
 * program can't start without; `schemas/environment.schema.json` is the whole contract, held where it is written.
 */
export async function readEnvironment(path: string | undefined): Promise<Environment> {
  if (!path) throw failure("ROUNDTRIP_CONFIG", "the path of the environment's document", "nothing");
  const document = parse(path, await readText(path));
  for (const field of requiredTexts) {
    const value = field.split(".").reduce<unknown>((inner, name) => member(inner, name), document);
    if (typeof value !== "string" || value === "") throw failure(path, `a text in ${field}`, show(value));
  }
  if (member(document, "version") !== 1) throw failure(path, "version 1", show(member(document, "version")));
  return document as Environment;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw failure(path, "a readable file", (cause as Error).message, cause);
  }
}

function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw failure(path, "a JSON document", (cause as Error).message, cause);
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function show(value: unknown): string {
  return value === undefined ? "nothing" : typeof value;
}

function failure(path: string, expected: string, got: string, cause?: unknown): RoundtripError {
  return new RoundtripError(
    {
      kind: "configuration",
      what: `read the environment's document ${path}`,
      expected,
      got,
      wayOut: "write the SSM parameter /roundtrip/<environment>/environment to that file again",
    },
    { cause },
  );
}
