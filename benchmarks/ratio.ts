/** A benchmark is a ratio of two things done in the same run on the same data, never a time by itself. */
import { parseArgs } from "node:util";

export interface Side {
  readonly name: string;
  /** Brings everything back to where a run begins; not measured. */
  readonly prepare: () => Promise<void>;
  readonly run: () => Promise<void>;
}

export interface RatioResult {
  readonly benchmark: string;
  /** What was done, in numbers. */
  readonly work: string;
  /** Baseline's time over the product's: above 1 the product is faster. */
  readonly ratio: Spread;
  readonly target: number;
  readonly reached: boolean;
  readonly productMs: Spread;
  readonly baselineMs: Spread;
  readonly baseline: string;
}

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Runs both sides in turn, `rounds` times, and compares their medians' spread round by round. */
export async function measureRatio(
  benchmark: { readonly name: string; readonly work: string; readonly target: number },
  product: Side,
  baseline: Side,
  rounds: number,
): Promise<RatioResult> {
  const times = { product: [] as number[], baseline: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    times.product.push(await timed(product));
    times.baseline.push(await timed(baseline));
    const [own, other] = [times.product.at(-1)!, times.baseline.at(-1)!];
    console.error(
      `${benchmark.name} ${round + 1}/${rounds}: ${product.name} ${own.toFixed(0)} ms, ${baseline.name} ${other.toFixed(0)} ms, ratio ${(other / own).toFixed(2)}`,
    );
  }
  const ratio = spreadOf(times.product.map((own, round) => times.baseline[round]! / own));
  return {
    benchmark: benchmark.name,
    work: benchmark.work,
    ratio,
    target: benchmark.target,
    reached: ratio.median >= benchmark.target,
    productMs: spreadOf(times.product),
    baselineMs: spreadOf(times.baseline),
    baseline: baseline.name,
  };
}

async function timed(side: Side): Promise<number> {
  await side.prepare();
  const before = performance.now();
  await side.run();
  return performance.now() - before;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((left, right) => left - right);
  const round = (value: number) => Math.round(value * 100) / 100;
  return {
    min: round(sorted[0] ?? Number.NaN),
    median: round(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN),
    max: round(sorted.at(-1) ?? Number.NaN),
  };
}

/** `--rounds N --size N --json`, as every benchmark takes them. */
export function benchmarkArguments(size: number): { rounds: number; size: number; json: boolean } {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      size: { type: "string" },
      json: { type: "boolean", default: false },
    },
  });
  return { rounds: Number(values.rounds ?? 5), size: Number(values.size ?? size), json: values.json };
}

/** One line of JSON on standard output, or a sentence. */
export function report(result: RatioResult, json: boolean): void {
  const { benchmark, work, ratio, target, baseline, reached } = result;
  console.log(
    json
      ? JSON.stringify(result)
      : `${benchmark}: ${ratio.median} × ${baseline} (min ${ratio.min}, max ${ratio.max}; wanted ${target}: ${reached ? "reached" : "missed"}), ${work}`,
  );
}
