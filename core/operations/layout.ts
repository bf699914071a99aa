/**
 * Where operations lie in the environment's bucket. An operation is what is run in phase `normal` (apply,
 * rotate-credentials, starting and pausing tasks …): one id, one prefix, one journal.
 */

/** Points at the last operation of a name: what a run with the same inputs goes on with. */
export function openOperationKey(name: string): string {
  return `operations/open/${name}.json`;
}

export function operationKeys(id: string) {
  const root = `operations/${id}/`;
  return { root, operation: `${root}operation.json`, journal: `${root}journal/`, plan: `${root}plan.json` };
}
