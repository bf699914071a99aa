import type { Creation } from "./creations.ts";

/** Looks in AWS for objects of the types that `canBeLookedFor` names. */
export interface ExistingObjects {
  /**
   * What the provider imports each living object by that is the same as this one: of the same name, or, where AWS makes the
   * identifier, with exactly its tags. Changes nothing. Fails with kind denied or unavailable.
   */
  find(creation: Creation): Promise<readonly string[]>;
}
