import type { Area, Fact, LineState, PreflightLine } from "./model.ts";

interface Judgement {
  readonly state: LineState;
  readonly got: string;
  readonly fix?: string;
}

/** A line in the making: what is expected stands before anybody looks. */
export class Question {
  constructor(
    private readonly area: Area,
    private readonly name: string,
    private readonly expected: string,
  ) {}

  ok(got = this.expected): PreflightLine {
    return this.line({ state: "ok", got });
  }

  failed(got: string, fix: string): PreflightLine {
    return this.line({ state: "failed", got, fix });
  }

  note(got: string, fix: string): PreflightLine {
    return this.line({ state: "note", got, fix });
  }

  unknown(why: string, fix: string): PreflightLine {
    return this.line({ state: "unknown", got: why, fix });
  }

  /** Judges a fact; one that could not be read is an unknown line with what makes it readable. */
  of<T>(fact: Fact<T>, unreadable: string, judge: (value: T) => PreflightLine): PreflightLine {
    return "value" in fact ? judge(fact.value) : this.unknown(fact.unknown, unreadable);
  }

  private line({ state, got, fix }: Judgement): PreflightLine {
    const { area, name, expected } = this;
    return { area, name, state, expected, got, ...(fix && state !== "ok" ? { fix } : {}) };
  }
}

/** At most ten names, and how many more. */
export function some(names: readonly string[]): string {
  const shown = names.slice(0, 10).join(", ");
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/** The part of a fact, unknown where the whole is. */
export function part<T, U>(fact: Fact<T>, take: (value: T) => Fact<U>): Fact<U> {
  return "value" in fact ? take(fact.value) : fact;
}

/** -1, 0 or 1: versions like 3.5.4 by their numbers. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [left, right].map((version) =>
    version.split(".").map((each) => Number.parseInt(each, 10) || 0),
  );
  for (let index = 0; index < 3; index++) {
    const difference = (a![index] ?? 0) - (b![index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}
