import { RoundtripError } from "../errors.ts";

/** Policy `stop`: a document changed both in the tail and in the log, and a person decides. */
export function stoppedByPolicy(namespace: string, sequence: number): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `apply event ${sequence} to ${namespace}`,
    expected: "no document changed both in the tail on MongoDB and in the log, by policy",
    got: "one that both changed (both images are in the tail's ledger)",
    wayOut:
      "compare the two in the ledger, set conflictPolicy to documentdb or mongodb, run failback-restore again",
  });
}

/** Policy `stop`: a unique index of MongoDB refuses a document to the end of the log. */
export function stoppedByIndex(namespace: string, sequence: number, message: string): RoundtripError {
  return new RoundtripError({
    kind: "refused",
    what: `apply event ${sequence} to ${namespace}`,
    expected: "no unique index to refuse it at the end of the log, by policy",
    got: message,
    wayOut:
      "compare both images in the conflicts' ledger, set conflictPolicy to documentdb or mongodb, run failback-restore again",
  });
}
