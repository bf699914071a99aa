/** The page where a runbook is started by a click, in the repository's Actions tab; undefined where no repository is known. */
export function runbookPage(repository: string | undefined, workflow: string): string | undefined {
  return repository === undefined ? undefined : `${repository}/actions/workflows/${workflow}.yml`;
}
