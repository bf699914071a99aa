/** Cases that say nothing about the server, because the npm driver 6.16.0 can't do what they ask. */
import type { Case } from "./schema.ts";

interface Limit {
  /** Matches the path of the file and the description of the case, joined by a space. */
  readonly cases: RegExp;
  /** What the driver lacks, and where that can be seen. */
  readonly reason: string;
}

const limits: readonly Limit[] = [];

/** @returns why the driver can't run the case, if so */
export function limitOf(path: string, test: Case): string | undefined {
  const name = `${path} ${test.description}`;
  return limits.find(({ cases }) => cases.test(name))?.reason;
}
