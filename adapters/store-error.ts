import { type Failure, type FailureKind, RoundtripError } from "../core/errors.ts";

export type StoreErrorKind = "precondition" | "denied" | "missing-bucket" | "unavailable" | "corrupt";

const failureKinds: Readonly<Record<StoreErrorKind, FailureKind>> = {
  precondition: "fenced",
  denied: "denied",
  "missing-bucket": "configuration",
  unavailable: "unavailable",
  corrupt: "logCorrupt",
};

/** What an ObjectStore fails with; `storeKind` is what callers branch on. */
export class StoreError extends RoundtripError {
  readonly storeKind: StoreErrorKind;

  constructor(storeKind: StoreErrorKind, failure: Omit<Failure, "kind">, options?: { cause?: unknown }) {
    super({ kind: failureKinds[storeKind], ...failure }, options);
    this.name = "StoreError";
    this.storeKind = storeKind;
  }
}

/** True when a conditional put lost: somebody else's bytes are there. */
export function isPrecondition(error: unknown): error is StoreError {
  return error instanceof StoreError && error.storeKind === "precondition";
}
