import { GitHubError, invalid, notFound } from "./answer.ts";
import { type Answer, type Call, type Route, text } from "./route.ts";
import type { Fields } from "./store.ts";

const reviewersMax = 6;
const environment = "/repos/{owner}/{repo}/environments/{environment}";

function scopeOf({ repository, path }: Call): string {
  return `${repository}/${(path.environment ?? "").toLowerCase()}`;
}

function read(call: Call): Fields {
  const found = call.store.get("environment", call.repository, (call.path.environment ?? "").toLowerCase());
  if (found === undefined) throw notFound();
  return found;
}

/** A reviewer must be known and at most six are taken; who may not read the repository is dropped by GitHub without a word. */
function reviewersOf({ store, body }: Call): Fields[] {
  const given = (Array.isArray(body.reviewers) ? body.reviewers : []) as Fields[];
  if (given.length > reviewersMax)
    throw invalid("Environment", "reviewers", "custom", `reviewers can't be more than ${reviewersMax}`);
  return given.flatMap(({ type, id }) => {
    const kind = type === "Team" ? "team" : "user";
    const reviewer = store.list(kind, "").find((each) => each.id === id);
    if (!reviewer) throw invalid("Environment", "reviewers", "invalid");
    return reviewer.canRead === false ? [] : [{ type, reviewer }];
  });
}

function branchPolicyOf(body: Fields): Fields | null {
  const policy = (body.deployment_branch_policy ?? null) as Fields | null;
  if (policy && policy.protected_branches === policy.custom_branch_policies)
    throw invalid("Environment", "deployment_branch_policy", "invalid");
  return policy;
}

/** Everything is set anew: what a PUT leaves out goes back to its default. */
function put(call: Call): Answer {
  const { store, repository, path, body, now } = call;
  const name = path.environment ?? "";
  const before = store.get("environment", repository, name.toLowerCase());
  const reviewers = reviewersOf(call);
  const policy = branchPolicyOf(body);
  const wait = typeof body.wait_timer === "number" ? body.wait_timer : 0;
  const rules: Fields[] = [
    ...(wait > 0 ? [{ id: store.next("id"), type: "wait_timer", wait_timer: wait }] : []),
    ...(reviewers.length > 0
      ? [
          {
            id: store.next("id"),
            type: "required_reviewers",
            prevent_self_review: body.prevent_self_review === true,
            reviewers,
          },
        ]
      : []),
    ...(policy ? [{ id: store.next("id"), type: "branch_policy" }] : []),
  ];
  const made = {
    id: before?.id ?? store.next("id"),
    name: before?.name ?? name,
    protection_rules: rules,
    deployment_branch_policy: policy,
    can_admins_bypass: before?.can_admins_bypass ?? true,
    created_at: before?.created_at ?? now,
    updated_at: now,
  };
  return { body: store.put("environment", repository, name.toLowerCase(), made) };
}

function addBranchPolicy(call: Call): Answer {
  const policy = read(call).deployment_branch_policy as Fields | null;
  if (policy?.custom_branch_policies !== true) throw notFound();
  const name = text(call.body, "name");
  if (!name) throw invalid("DeploymentBranchPolicy", "name", "missing_field");
  const scope = scopeOf(call);
  const isThere = call.store.list("branch-policy", scope).some((each) => each.name === name);
  if (isThere) throw new GitHubError(303, "See Other");
  const id = call.store.next("id");
  const made = { id, name, type: text(call.body, "type") ?? "branch" };
  return { body: call.store.put("branch-policy", scope, String(id), made) };
}

export const environmentRoutes: readonly Route[] = [
  {
    operation: "repos/get-environment",
    method: "GET",
    template: environment,
    needs: ["actions:read"],
    handle: (call) => ({ body: read(call) }),
  },
  {
    operation: "repos/create-or-update-environment",
    method: "PUT",
    template: environment,
    needs: ["administration:write"],
    handle: put,
  },
  {
    operation: "repos/list-deployment-branch-policies",
    method: "GET",
    template: `${environment}/deployment-branch-policies`,
    needs: ["actions:read"],
    handle: (call) => {
      read(call);
      return { items: call.store.list("branch-policy", scopeOf(call)), wrap: "branch_policies" };
    },
  },
  {
    operation: "repos/create-deployment-branch-policy",
    method: "POST",
    template: `${environment}/deployment-branch-policies`,
    needs: ["administration:write"],
    handle: addBranchPolicy,
  },
  {
    operation: "repos/delete-deployment-branch-policy",
    method: "DELETE",
    template: `${environment}/deployment-branch-policies/{id}`,
    needs: ["administration:write"],
    handle: (call) => {
      read(call);
      if (!call.store.remove("branch-policy", scopeOf(call), call.path.id ?? "")) throw notFound();
      return { status: 204 };
    },
  },
];
