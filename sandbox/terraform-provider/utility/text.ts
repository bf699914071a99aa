import { createHash, randomInt } from "node:crypto";
import type { Values } from "../values.ts";

const kinds = {
  lower: "abcdefghijklmnopqrstuvwxyz",
  upper: "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
  numeric: "0123456789",
  special: "!@#$%&*()-_=+[]{}<>:?",
} as const;

function pick(characters: string, count: number): string[] {
  return Array.from({ length: count }, () => characters[randomInt(characters.length)]!);
}

/** Random text by the arguments of random_string and random_password: at least the minima, the rest of any kind. */
export function randomText(planned: Values): string {
  const length = Number(planned.length);
  const alphabets = {
    ...kinds,
    special: planned.override_special ? String(planned.override_special) : kinds.special,
  };
  const admitted = (Object.keys(kinds) as (keyof typeof kinds)[]).filter((kind) => planned[kind] !== false);
  const least = admitted.flatMap((kind) => pick(alphabets[kind], Number(planned[`min_${kind}`] ?? 0)));
  if (least.length > length)
    throw new Error(`the minima ask for ${least.length} characters, length is ${length}`);
  const any = admitted.map((kind) => alphabets[kind]).join("");
  if (any === "") throw new Error("at least one of lower, upper, numeric and special must be true");
  const characters = [...least, ...pick(any, length - least.length)];
  return shuffled(characters).join("");
}

export function shuffled<Item>(items: readonly Item[]): Item[] {
  const result = [...items];
  for (let index = result.length - 1; index > 0; index--) {
    const other = randomInt(index + 1);
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}

/** The hashes local and archive show of a content. */
export function hashes(content: Uint8Array, prefix: string, sha1: string): Values {
  const of = (algorithm: string, form: "hex" | "base64") =>
    createHash(algorithm).update(content).digest(form);
  return {
    [`${prefix}md5`]: of("md5", "hex"),
    [`${prefix}${sha1}`]: of("sha1", "hex"),
    [`${prefix}sha256`]: of("sha256", "hex"),
    [`${prefix}sha512`]: of("sha512", "hex"),
    [`${prefix}base64sha256`]: of("sha256", "base64"),
    [`${prefix}base64sha512`]: of("sha512", "base64"),
  };
}
