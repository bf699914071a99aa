/** Links from a summary to the workflow that runs what is named. */
import { runbookPage } from "../../core/notices/runbook-page.ts";
import { plain } from "../../core/plan/markdown.ts";

/** The page of a workflow in the Actions tab, by the variables of GitHub's runner; undefined anywhere else. */
export function workflowPage(
  variables: Readonly<Record<string, string | undefined>>,
  workflow: string,
): string | undefined {
  const { GITHUB_SERVER_URL: server = "", GITHUB_REPOSITORY: repository = "" } = variables;
  if (!/^https?:\/\/[\w.:-]+$/.test(server) || !/^[\w.-]+\/[\w.-]+$/.test(repository)) return undefined;
  return runbookPage(`${server}/${repository}`, workflow);
}

/** Where a runbook of that name is started by a click; undefined for what has no such page. */
export type PageOf = (name: string) => string | undefined;

/** Words as Markdown: no markup of their own, the name of each runbook a link to its page where there is one. */
export function linked(text: string, pageOf: PageOf): string {
  return plain(text).replace(/(?<![\w/.-])[a-z]+(?:-[a-z]+)*(?![\w/.-]*[\w/])/g, (name) => {
    const page = pageOf(name);
    return page === undefined ? name : `[${name}](${page})`;
  });
}
