import { readTasks } from "../../core/tasks/read.ts";
import { Random } from "../drill/random.ts";
import { mutate } from "./mutate.ts";

export interface FuzzResult {
  readonly cases: number;
  readonly accepted: number;
  readonly refused: number;
  readonly slowestMs: number;
  readonly codes: Readonly<Record<string, number>>;
  /** What must never happen, with the number that makes it happen again. */
  readonly failures: readonly string[];
}

const slowMs = 1000;

/**
 * Reads mutated tasks files: none may crash or take over a second of processor, each refusal has a place inside the text, and what is
 * accepted is accepted again. Case `n` of a seed is the same whatever ran before it.
 */
export function fuzz(sources: readonly string[], seed: number, from: number, to: number): FuzzResult {
  const codes: Record<string, number> = {};
  const failures: string[] = [];
  let [accepted, refused, slowestMs] = [0, 0, 0];
  for (let number = from; number < to; number++) {
    const text = mutate(sources[number % sources.length]!, new Random(seed).fork(number));
    // Processor time: what else the machine does is not the reader's fault.
    const before = process.cpuUsage();
    try {
      const { tasks, problems } = readTasks(text);
      const lines = text.split("\n");
      for (const { line, column, code, message, fix } of problems) {
        codes[code] = (codes[code] ?? 0) + 1;
        if (!(line >= 1 && line <= lines.length && column >= 1 && column <= lines[line - 1]!.length + 1))
          failures.push(`seed ${seed} case ${number}: ${code} at ${line}:${column}, outside the text`);
        if (message === "" || fix === "") failures.push(`seed ${seed} case ${number}: ${code} without words`);
      }
      if ((tasks === undefined) === (problems.length === 0))
        failures.push(`seed ${seed} case ${number}: neither accepted nor refused`);
      if (tasks) accepted++;
      else refused++;
    } catch (error) {
      failures.push(`seed ${seed} case ${number}: crashed, ${error}`);
    }
    const { user, system } = process.cpuUsage(before);
    const took = (user + system) / 1000;
    slowestMs = Math.max(slowestMs, took);
    if (took > slowMs) failures.push(`seed ${seed} case ${number}: ${Math.round(took)} ms of processor`);
  }
  if ("x" in {}) failures.push("Object.prototype was changed");
  return { cases: to - from, accepted, refused, slowestMs: Math.round(slowestMs), codes, failures };
}
