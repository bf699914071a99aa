import type { Phase } from "./phase.ts";

const mongodbClosed = "closed to writers but Roundtrip's own restore";
const applicationsRead = "applications read only";

/** Who may write where, by phase, in words (invariants.md 25). The proofs are in the journal of the step that changed it. */
export function writersIn(phase: Phase): { readonly mongodb: string; readonly documentdb: string } {
  switch (phase) {
    case "normal":
      return { mongodb: "applications read and write", documentdb: "DMS writes; applications read only" };
    case "capturing":
      return {
        mongodb: "failed, or kept closed: nobody should write",
        documentdb: "applications read and write once grant-writers has succeeded; DMS has no rights",
      };
    case "draining":
      return { mongodb: mongodbClosed, documentdb: `${applicationsRead}, or losing their writes right now` };
    case "restoring":
      return { mongodb: mongodbClosed, documentdb: applicationsRead };
    case "verified":
      return { mongodb: `${mongodbClosed}, until failback-clean reopens it`, documentdb: applicationsRead };
    case "cleaned":
      return { mongodb: "applications read and write", documentdb: applicationsRead };
  }
}
