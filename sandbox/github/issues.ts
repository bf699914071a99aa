import { invalid, notFound } from "./answer.ts";
import { addLabels, ensureLabels } from "./labels.ts";
import { type Answer, type Call, type Route, text } from "./route.ts";
import type { Fields } from "./store.ts";

const bodyLengthMax = 65_536;
const titleLengthMax = 256;
const issue = "/repos/{owner}/{repo}/issues/{number}";

function bodyOf({ body }: Call, resource: string): string {
  const given = text(body, "body") ?? "";
  // GitHub counts characters, a supplementary one once.
  if ([...given].length > bodyLengthMax)
    throw invalid(
      resource,
      "body",
      "unprocessable",
      `body is too long (maximum is ${bodyLengthMax} characters)`,
    );
  return given;
}

function readIssue({ store, repository, path }: Call): Fields {
  const found = store.get("issue", repository, path.number ?? "");
  if (found === undefined) throw notFound();
  return found;
}

function author({ identity }: Call): Fields {
  return { login: identity.login, type: identity.type };
}

function listIssues({ store, repository, url }: Call): Answer {
  const state = url.searchParams.get("state") ?? "open";
  const labels = (url.searchParams.get("labels") ?? "").split(",").filter((label) => label !== "");
  const creator = url.searchParams.get("creator");
  const items = store
    .list("issue", repository)
    .filter((each) => state === "all" || each.state === state)
    .filter((each) => creator === null || (each.user as Fields).login === creator)
    .filter((each) => labels.every((label) => (each.labels as Fields[]).some(({ name }) => name === label)));
  return { items: url.searchParams.get("direction") === "asc" ? items : items.reverse() };
}

function createIssue(call: Call): Answer {
  const { store, repository, body, now } = call;
  const title = text(body, "title") ?? "";
  if (title === "") throw invalid("Issue", "title", "missing_field");
  if (title.length > titleLengthMax)
    throw invalid("Issue", "title", "custom", "title is too long (maximum is 256 characters)");
  const number = store.next(`issue:${repository}`);
  const made = {
    id: store.next("id"),
    number,
    title,
    body: bodyOf(call, "Issue"),
    state: "open",
    user: author(call),
    labels: ensureLabels(call, body.labels),
    created_at: now,
    updated_at: now,
    closed_at: null,
  };
  return { status: 201, body: store.put("issue", repository, String(number), made) };
}

function updateIssue(call: Call): Answer {
  const { store, repository, body, now } = call;
  const before = readIssue(call);
  const state = text(body, "state") ?? before.state;
  if (state !== "open" && state !== "closed") throw invalid("Issue", "state", "invalid");
  const after = {
    ...before,
    ...("title" in body ? { title: text(body, "title") } : {}),
    ...("body" in body ? { body: bodyOf(call, "Issue") } : {}),
    ...("labels" in body ? { labels: ensureLabels(call, body.labels) } : {}),
    state,
    ...("state_reason" in body ? { state_reason: body.state_reason } : {}),
    closed_at: state === "closed" ? now : null,
    updated_at: now,
  };
  return { body: store.put("issue", repository, String(before.number), after) };
}

function createComment(call: Call): Answer {
  const { store, repository, now } = call;
  const { number } = readIssue(call);
  const body = bodyOf(call, "IssueComment");
  if (body === "") throw invalid("IssueComment", "body", "missing_field");
  const id = store.next("id");
  const made = { id, issue: number, body, user: author(call), created_at: now, updated_at: now };
  return { status: 201, body: store.put("comment", repository, String(id), made) };
}

function readComment({ store, repository, path }: Call): Fields {
  const found = store.get("comment", repository, path.id ?? "");
  if (found === undefined) throw notFound();
  return found;
}

export const issueRoutes: readonly Route[] = [
  {
    operation: "issues/list-for-repo",
    method: "GET",
    template: "/repos/{owner}/{repo}/issues",
    needs: ["issues:read"],
    handle: listIssues,
  },
  {
    operation: "issues/create",
    method: "POST",
    template: "/repos/{owner}/{repo}/issues",
    needs: ["issues:write"],
    handle: createIssue,
  },
  {
    operation: "issues/get",
    method: "GET",
    template: issue,
    needs: ["issues:read", "pull-requests:read"],
    handle: (call) => ({ body: readIssue(call) }),
  },
  {
    operation: "issues/update",
    method: "PATCH",
    template: issue,
    needs: ["issues:write"],
    handle: updateIssue,
  },
  {
    operation: "issues/list-comments",
    method: "GET",
    template: `${issue}/comments`,
    needs: ["issues:read", "pull-requests:read"],
    handle: (call) => {
      const { number } = readIssue(call);
      return { items: call.store.list("comment", call.repository).filter((each) => each.issue === number) };
    },
  },
  {
    operation: "issues/create-comment",
    method: "POST",
    template: `${issue}/comments`,
    needs: ["issues:write", "pull-requests:write"],
    handle: createComment,
  },
  {
    operation: "issues/update-comment",
    method: "PATCH",
    template: "/repos/{owner}/{repo}/issues/comments/{id}",
    needs: ["issues:write", "pull-requests:write"],
    handle: (call) => {
      const after = { ...readComment(call), body: bodyOf(call, "IssueComment"), updated_at: call.now };
      return { body: call.store.put("comment", call.repository, call.path.id ?? "", after) };
    },
  },
  {
    operation: "issues/delete-comment",
    method: "DELETE",
    template: "/repos/{owner}/{repo}/issues/comments/{id}",
    needs: ["issues:write", "pull-requests:write"],
    handle: (call) => {
      readComment(call);
      call.store.remove("comment", call.repository, call.path.id ?? "");
      return { status: 204 };
    },
  },
  {
    operation: "issues/add-labels",
    method: "POST",
    template: `${issue}/labels`,
    needs: ["issues:write", "pull-requests:write"],
    handle: (call) => ({ body: addLabels(call, readIssue(call)) }),
  },
  {
    operation: "issues/list-labels-on-issue",
    method: "GET",
    template: `${issue}/labels`,
    needs: ["issues:read", "pull-requests:read"],
    handle: (call) => ({ items: readIssue(call).labels as Fields[] }),
  },
];
