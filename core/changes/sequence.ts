/**
 * Sequence numbers of the events in one object, as runs: first, count, first, count, … Numbers are contiguous over
 * all collections, so one collection's are mostly a few long runs.
 */

/** Appends a number that is larger than all before it. */
export function appendSequence(runs: number[], sequence: number): void {
  const last = runs.length - 2;
  if (last >= 0 && runs[last]! + runs[last + 1]! === sequence) runs[last + 1]!++;
  else runs.push(sequence, 1);
}

/** The numbers that runs stand for, ascending. */
export function* sequencesOf(runs: readonly number[]): Generator<number> {
  for (let index = 0; index < runs.length; index += 2) {
    const first = runs[index]!;
    for (let step = 0; step < runs[index + 1]!; step++) yield first + step;
  }
}

/** How many numbers runs stand for; `undefined` when they are no ascending runs of positive whole numbers. */
export function countSequences(runs: readonly number[]): number | undefined {
  let count = 0;
  let previous = 0;
  if (runs.length % 2 !== 0) return undefined;
  for (let index = 0; index < runs.length; index += 2) {
    const first = runs[index]!;
    const length = runs[index + 1]!;
    if (!Number.isSafeInteger(first) || !Number.isSafeInteger(length) || length < 1 || first <= previous) {
      return undefined;
    }
    count += length;
    previous = first + length - 1;
  }
  return count;
}

/** The first number between `first` and `last` that the runs of all objects don't cover exactly once. */
export function firstHole(
  objects: readonly { readonly sequences: readonly number[] }[],
  first: number,
  last: number,
): number | undefined {
  const runs: [number, number][] = [];
  for (const { sequences } of objects) {
    for (let index = 0; index < sequences.length; index += 2)
      runs.push([sequences[index]!, sequences[index + 1]!]);
  }
  runs.sort((left, right) => left[0] - right[0]);
  let expected = first;
  for (const [start, count] of runs) {
    if (start !== expected) return Math.min(start, expected);
    expected += count;
  }
  return expected === last + 1 ? undefined : expected;
}
