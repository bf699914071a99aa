import { operations, runbooks } from "../../runbooks/catalog.ts";
import { workflowPage } from "../../runbooks/engine/links.ts";

/** Whole words only: `apply` or `unlock` in a sentence may be the verb. */
const linkable = new Set(
  [...runbooks, ...operations].map(({ name }) => name).filter((name) => name.includes("-")),
);

/** The page in the Actions tab that starts this runbook; undefined outside of Actions and for any other word. */
export function pageOfRunbook(
  variables: Readonly<Record<string, string | undefined>>,
  name: string,
): string | undefined {
  return linkable.has(name) ? workflowPage(variables, name) : undefined;
}
