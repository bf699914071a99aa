import type { GitHub, Repository } from "../../../adapters/github/client.ts";
import type { RepositorySettings } from "./settings.ts";

/** One thing on GitHub that isn't as the file has it. */
export interface Change {
  readonly what: string;
  readonly before: string;
  readonly after: string;
  make(): Promise<unknown>;
}

export interface SetUp {
  readonly github: GitHub;
  readonly repository: Repository;
  readonly settings: RepositorySettings;
}

/**
 * Whether what GitHub tells has everything that is wanted. It tells more than it was given, with its own defaults, so
 * what isn't named is not compared; a list must have as many items, in any order.
 */
export function covers(told: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(told) &&
      told.length === wanted.length &&
      wanted.every((item) => told.some((each) => covers(each, item)))
    );
  if (wanted !== null && typeof wanted === "object")
    return (
      told !== null &&
      typeof told === "object" &&
      Object.entries(wanted).every(([key, value]) => covers((told as Record<string, unknown>)[key], value))
    );
  return told === wanted;
}
