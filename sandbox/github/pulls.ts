import { notFound } from "./answer.ts";
import type { Call, Route } from "./route.ts";
import type { Fields } from "./store.ts";

function readPull({ store, repository, path }: Call): Fields {
  const found = store.get("pull", repository, path.number ?? "");
  if (found === undefined) throw notFound();
  return found;
}

/** What the pull request has as an issue (labels, state) is told with it, as GitHub does. */
function withIssue({ store, repository }: Call, pull: Fields): Fields {
  const issue = store.get("issue", repository, String(pull.number)) ?? {};
  const { files: _files, reviews: _reviews, ...told } = pull;
  return { ...told, labels: issue.labels ?? [], state: issue.state ?? "open", title: issue.title ?? "" };
}

const pull = "/repos/{owner}/{repo}/pulls/{number}";

export const pullRoutes: readonly Route[] = [
  {
    operation: "pulls/get",
    method: "GET",
    template: pull,
    needs: ["pull-requests:read"],
    handle: (call) => ({ body: withIssue(call, readPull(call)) }),
  },
  {
    operation: "pulls/list-files",
    method: "GET",
    template: `${pull}/files`,
    needs: ["pull-requests:read"],
    handle: (call) => ({ items: readPull(call).files as Fields[] }),
  },
  {
    operation: "pulls/list-reviews",
    method: "GET",
    template: `${pull}/reviews`,
    needs: ["pull-requests:read"],
    handle: (call) => ({ items: readPull(call).reviews as Fields[] }),
  },
  {
    operation: "repos/list-pull-requests-associated-with-commit",
    method: "GET",
    template: "/repos/{owner}/{repo}/commits/{sha}/pulls",
    needs: ["pull-requests:read"],
    handle: (call) => ({
      items: call.store
        .list("pull", call.repository)
        .filter(
          ({ merge_commit_sha, head }) =>
            merge_commit_sha === call.path.sha || (head as Fields).sha === call.path.sha,
        )
        .map((each) => withIssue(call, each)),
    }),
  },
];
