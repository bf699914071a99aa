import { GitHubError, invalid, notFound } from "./answer.ts";
import { type Answer, type Call, type Route, text } from "./route.ts";
import type { Fields } from "./store.ts";

const valueBytesMax = 48 * 1024;

/** Those of the repository, or of one environment, which must be there. */
function scopeOf({ store, repository, path }: Call): string {
  if (path.environment === undefined) return repository;
  const name = path.environment.toLowerCase();
  if (store.get("environment", repository, name) === undefined) throw notFound();
  return `${repository}/${name}`;
}

function nameOf(given: string | undefined): string {
  const name = (given ?? "").toUpperCase();
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name) || name.startsWith("GITHUB_"))
    throw invalid("ActionsVariable", "name", "invalid");
  return name;
}

function textOf(body: Fields): string {
  const value = text(body, "value");
  // GitHub keeps no variable without a value.
  if (value === undefined || value === "") throw invalid("ActionsVariable", "value", "missing_field");
  if (Buffer.byteLength(value) > valueBytesMax) throw invalid("ActionsVariable", "value", "too_large");
  return value;
}

function create(call: Call): Answer {
  const { store, body, now } = call;
  const scope = scopeOf(call);
  const name = nameOf(text(body, "name"));
  if (store.get("variable", scope, name))
    throw new GitHubError(409, "Already exists - Variable already exists");
  store.put("variable", scope, name, { name, value: textOf(body), created_at: now, updated_at: now });
  return { status: 201, body: {} };
}

function update(call: Call): Answer {
  const { store, body, path, now } = call;
  const scope = scopeOf(call);
  const name = nameOf(path.name);
  const before = store.get("variable", scope, name);
  if (before === undefined) throw notFound();
  store.put("variable", scope, name, { ...before, value: textOf(body), updated_at: now });
  return { status: 204 };
}

function routesAt(base: string, list: string, one: string, permission: string): Route[] {
  const write = [`${permission}:write`];
  return [
    {
      operation: `actions/list-${list}`,
      method: "GET",
      template: base,
      needs: [`${permission}:read`],
      handle: (call) => ({ items: call.store.list("variable", scopeOf(call)), wrap: "variables" }),
    },
    { operation: `actions/create-${one}`, method: "POST", template: base, needs: write, handle: create },
    {
      operation: `actions/update-${one}`,
      method: "PATCH",
      template: `${base}/{name}`,
      needs: write,
      handle: update,
    },
  ];
}

export const variableRoutes: readonly Route[] = [
  ...routesAt("/repos/{owner}/{repo}/actions/variables", "repo-variables", "repo-variable", "variables"),
  ...routesAt(
    "/repos/{owner}/{repo}/environments/{environment}/variables",
    "environment-variables",
    "environment-variable",
    "environments",
  ),
];
