import type { Flush } from "./flush.ts";
import type { Manifest, ManifestObject } from "./manifest.ts";
import { extendedJsonOf } from "./token.ts";

type Identity = Pick<Manifest, "failbackId" | "number" | "previousSha256" | "writer" | "writtenAt">;

/** The manifest that commits a flush whose objects are durable. */
export function manifestOf(flush: Flush, objects: readonly ManifestObject[], identity: Identity): Manifest {
  const { resume, firstToken } = flush;
  const lastToken = "token" in resume ? extendedJsonOf(resume.token) : null;
  return {
    version: 1,
    ...identity,
    firstSequence: flush.firstSequence,
    lastSequence: flush.lastSequence,
    firstToken: firstToken ? extendedJsonOf(firstToken) : lastToken,
    lastToken,
    lastOperationTime: resume.operationTime,
    objects,
    flags: flush.flags,
    signals: flush.signals,
  };
}
