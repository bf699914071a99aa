/** Which documents open transactions hold, and what changed since they began. Filled in by transactions.ts. */
import type { WriteRecord } from "./write-unit.ts";

export class Conflicts {
  /** Called for every committed change of a document. */
  touched(_record: WriteRecord): void {}
}
