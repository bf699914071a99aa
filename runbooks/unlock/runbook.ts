import { readJson } from "../../adapters/state/json.ts";
import { leaseKey } from "../../core/failback/layout.ts";
import { phases } from "../../core/failback/phase.ts";
import type { LeaseDocument } from "../engine/lease.ts";
import type { Operation } from "../engine/runbook.ts";
import type { OperationStep } from "../steps/selected-tasks.ts";
import { freeStateLock, type StateLockOptions } from "./state-lock.ts";

/**
 * To run at all, this took the environment's lease: either it was free, or its holder gave no sign of life while the
 * lease was watched on this clock. One that lives is refused there, by name. Its end gives the lease back.
 */
const leaseFreed: OperationStep = {
  name: "lease-freed",
  what: "say who held the lease; a holder that gave no sign of life has lost it, and it is given back at the end",
  undo: "nothing to undo: a holder that wakes finds that it lost the lease, and stops",
  every: true,
  plan: () => [
    { call: "S3 GetObject, twice over a watch", target: leaseKey },
    { call: "S3 PutObject If-Match", target: leaseKey, parameters: { released: "true" } },
  ],
  run: async ({ store }) => {
    const lease = (await readJson<LeaseDocument>(store, leaseKey))?.value;
    const before = lease?.tookOver;
    const got = before ? `${before.holder} (${before.what}) gave no sign of life` : "nobody held it";
    return {
      checks: [{ name: "holder of the lease", ok: true, expected: "dead, or none", got }],
      data: before ? { ...before } : {},
      note: before ? `freed: ${got}` : got,
    };
  },
};

export const unlock: Operation = {
  kind: "operation",
  name: "unlock",
  summary: "Free the environment's lease, when its holder is proved dead.",
  phases,
  inputs: [],
  steps: [leaseFreed],
  next: "run the runbook that was interrupted again: it goes on where its journal stops",
};

/** `unlock` with the lock of Terraform's state, which takes a checkout and Terraform: `roundtrip unlock`. */
export function unlockWithState(options: StateLockOptions): Operation {
  return {
    ...unlock,
    summary:
      "Free the environment's lease and the lock of Terraform's state, when the holder is proved dead.",
    steps: [leaseFreed, freeStateLock(options)],
  };
}
