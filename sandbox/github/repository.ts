import { invalid, notFound } from "./answer.ts";
import { type Answer, type Call, type Route, text } from "./route.ts";
import type { Fields } from "./store.ts";

function found(document: Fields | undefined): Answer {
  if (document === undefined) throw notFound();
  return { body: document };
}

const workflowPermissionsDefault = {
  default_workflow_permissions: "read",
  can_approve_pull_request_reviews: false,
};

function putWorkflowPermissions({ store, repository, body }: Call): Answer {
  const level = text(body, "default_workflow_permissions") ?? "read";
  if (level !== "read" && level !== "write")
    throw invalid("WorkflowPermissions", "default_workflow_permissions", "invalid");
  store.put("workflow-permissions", repository, "", {
    default_workflow_permissions: level,
    can_approve_pull_request_reviews: body.can_approve_pull_request_reviews === true,
  });
  return { status: 204 };
}

function rulesetOf({ body, now }: Call, before: Fields | undefined, id: number): Fields {
  const name = text(body, "name") ?? before?.name;
  if (!name) throw invalid("Ruleset", "name", "missing_field");
  return {
    id,
    name,
    target: body.target ?? before?.target ?? "branch",
    source_type: "Repository",
    enforcement: body.enforcement ?? before?.enforcement,
    bypass_actors: body.bypass_actors ?? before?.bypass_actors ?? [],
    conditions: body.conditions ?? before?.conditions ?? { ref_name: { include: [], exclude: [] } },
    rules: body.rules ?? before?.rules ?? [],
    created_at: before?.created_at ?? now,
    updated_at: now,
  };
}

function createRuleset(call: Call): Answer {
  const { store, repository } = call;
  const isThere = store.list("ruleset", repository).some(({ name }) => name === call.body.name);
  if (isThere) throw invalid("Ruleset", "name", "custom", "Name must be unique");
  const id = store.next("id");
  return { status: 201, body: store.put("ruleset", repository, String(id), rulesetOf(call, undefined, id)) };
}

function readRuleset({ store, repository, path }: Call): Fields {
  const ruleset = store.get("ruleset", repository, path.id ?? "");
  if (ruleset === undefined) throw notFound();
  return ruleset;
}

export const repositoryRoutes: readonly Route[] = [
  {
    operation: "repos/get",
    method: "GET",
    template: "/repos/{owner}/{repo}",
    needs: [],
    handle: ({ store, repository }) => found(store.get("repository", "", repository)),
  },
  {
    operation: "users/get-by-username",
    method: "GET",
    template: "/users/{username}",
    needs: [],
    handle: ({ store, path }) => found(store.get("user", "", (path.username ?? "").toLowerCase())),
  },
  {
    operation: "teams/get-by-name",
    method: "GET",
    template: "/orgs/{org}/teams/{slug}",
    needs: ["members:read"],
    handle: ({ store, path }) => found(store.get("team", "", `${path.org}/${path.slug}`.toLowerCase())),
  },
  {
    operation: "actions/get-reviews-for-run",
    method: "GET",
    template: "/repos/{owner}/{repo}/actions/runs/{run}/approvals",
    needs: ["actions:read"],
    handle: ({ store, repository, path }) => {
      const run = store.get("run", repository, path.run ?? "");
      if (run === undefined) throw notFound();
      return { body: run.approvals as Fields[] };
    },
  },
  {
    operation: "actions/get-github-actions-default-workflow-permissions-repository",
    method: "GET",
    template: "/repos/{owner}/{repo}/actions/permissions/workflow",
    needs: ["administration:read"],
    handle: ({ store, repository }) => ({
      body: store.get("workflow-permissions", repository, "") ?? workflowPermissionsDefault,
    }),
  },
  {
    operation: "actions/set-github-actions-default-workflow-permissions-repository",
    method: "PUT",
    template: "/repos/{owner}/{repo}/actions/permissions/workflow",
    needs: ["administration:write"],
    handle: putWorkflowPermissions,
  },
  {
    operation: "repos/get-repo-rulesets",
    method: "GET",
    template: "/repos/{owner}/{repo}/rulesets",
    needs: ["metadata:read", "administration:read"],
    handle: ({ store, repository }) => ({
      items: store
        .list("ruleset", repository)
        .map(({ rules: _rules, conditions: _conditions, bypass_actors: _bypass, ...told }) => told),
    }),
  },
  {
    operation: "repos/create-repo-ruleset",
    method: "POST",
    template: "/repos/{owner}/{repo}/rulesets",
    needs: ["administration:write"],
    handle: createRuleset,
  },
  {
    operation: "repos/get-repo-ruleset",
    method: "GET",
    template: "/repos/{owner}/{repo}/rulesets/{id}",
    needs: ["metadata:read", "administration:read"],
    handle: (call) => ({ body: readRuleset(call) }),
  },
  {
    operation: "repos/update-repo-ruleset",
    method: "PUT",
    template: "/repos/{owner}/{repo}/rulesets/{id}",
    needs: ["administration:write"],
    handle: (call) => {
      const before = readRuleset(call);
      const after = rulesetOf(call, before, Number(before.id));
      return { body: call.store.put("ruleset", call.repository, String(before.id), after) };
    },
  },
];
