import type { Creation } from "./creations.ts";

/** Looks in AWS for objects whose identifier AWS made. */
export interface ExistingObjects {
  /**
   * What the provider imports each living object by that is the same as this one and carries its tags exactly. Changes
   * nothing. Fails with kind denied or unavailable.
   */
  find(creation: Creation): Promise<readonly string[]>;
}
