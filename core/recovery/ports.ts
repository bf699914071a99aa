import type { Creation, Taken } from "./creations.ts";

/** Looks in AWS for objects of the types that `canBeLookedFor` names. */
export interface ExistingObjects {
  /**
   * What the provider imports each living object by that is the same as this one: of the same name, or, where AWS makes the
   * identifier, with exactly its tags. Changes nothing. Fails with kind denied or unavailable.
   */
  find(creation: Creation): Promise<readonly string[]>;
  /**
   * Does what Terraform's provider does after it has made such an object, where it may have died before. Nothing is done that
   * was done already. Gives what was done, in words. Fails with kind denied or unavailable.
   * @param id what the provider imports the object by
   */
  finish(taken: Taken): Promise<readonly string[]>;
}
