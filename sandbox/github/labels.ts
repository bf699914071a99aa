import { invalid, notFound } from "./answer.ts";
import { type Call, type Route, text } from "./route.ts";
import type { Fields } from "./store.ts";

const colorDefault = "ededed";

/** Labels by their names; GitHub makes those of an issue that aren't there yet. */
export function ensureLabels({ store, repository }: Call, given: unknown): Fields[] {
  const names = Array.isArray(given) ? given.filter((name) => typeof name === "string") : [];
  return names.map(
    (name) =>
      store.get("label", repository, name.toLowerCase()) ??
      store.put("label", repository, name.toLowerCase(), {
        id: store.next("id"),
        name,
        color: colorDefault,
        description: null,
      }),
  );
}

export function addLabels(call: Call, issue: Fields): Fields[] {
  const before = issue.labels as Fields[];
  const added = ensureLabels(call, call.body.labels).filter(
    ({ name }) => !before.some((label) => label.name === name),
  );
  const labels = [...before, ...added];
  call.store.put("issue", call.repository, String(issue.number), { ...issue, labels });
  return labels;
}

function read({ store, repository, path }: Call): Fields {
  const found = store.get("label", repository, (path.name ?? "").toLowerCase());
  if (found === undefined) throw notFound();
  return found;
}

const label = "/repos/{owner}/{repo}/labels/{name}";

export const labelRoutes: readonly Route[] = [
  {
    operation: "issues/list-labels-for-repo",
    method: "GET",
    template: "/repos/{owner}/{repo}/labels",
    needs: ["issues:read", "pull-requests:read"],
    handle: ({ store, repository }) => ({ items: store.list("label", repository) }),
  },
  {
    operation: "issues/create-label",
    method: "POST",
    template: "/repos/{owner}/{repo}/labels",
    needs: ["issues:write", "pull-requests:write"],
    handle: ({ store, repository, body }) => {
      const name = text(body, "name");
      if (!name) throw invalid("Label", "name", "missing_field");
      if (store.get("label", repository, name.toLowerCase()))
        throw invalid("Label", "name", "already_exists");
      const made = {
        id: store.next("id"),
        name,
        color: text(body, "color") ?? colorDefault,
        description: text(body, "description") ?? null,
      };
      return { status: 201, body: store.put("label", repository, name.toLowerCase(), made) };
    },
  },
  {
    operation: "issues/update-label",
    method: "PATCH",
    template: label,
    needs: ["issues:write", "pull-requests:write"],
    handle: (call) => {
      const { color, description } = call.body;
      const after = {
        ...read(call),
        ...(color === undefined ? {} : { color }),
        ...(description === undefined ? {} : { description }),
      };
      return { body: call.store.put("label", call.repository, (call.path.name ?? "").toLowerCase(), after) };
    },
  },
];
