import type { Spread } from "../ratio.ts";

/** A figure that may not pass a limit, where a ratio says nothing. */
export interface LimitResult {
  readonly benchmark: string;
  readonly work: string;
  readonly value: Spread;
  readonly unit: string;
  readonly limit: number;
  readonly reached: boolean;
}

/** The median counts. Prints one line of JSON on standard output, or a sentence. */
export function reportLimit(result: Omit<LimitResult, "reached">, json: boolean): void {
  const { benchmark, work, value, unit, limit } = result;
  const reached = value.median <= limit;
  console.log(
    json
      ? JSON.stringify({ ...result, reached })
      : `${benchmark}: ${value.median} ${unit} (min ${value.min}, max ${value.max}; at most ${limit}: ${reached ? "reached" : "missed"}), ${work}`,
  );
}
