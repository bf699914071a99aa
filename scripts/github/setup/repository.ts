import { destructiveLabel } from "../trust.ts";
import { type Change, covers, type SetUp } from "./change.ts";

const rulesetName = "roundtrip: reviewed changes only";
const labels = [
  { name: destructiveLabel, color: "b60205", description: "Data may be dropped as the plan says" },
  { name: "drift", color: "fbca04", description: "Something is not as it was applied" },
];

/** What is to be changed at the repository itself: default token, variables, labels, the rules of its branch. */
export async function repositoryChanges(setUp: SetUp): Promise<Change[]> {
  return [
    ...(await tokenChanges(setUp)),
    ...(await variableChanges(setUp)),
    ...(await labelChanges(setUp)),
    ...(await ruleChanges(setUp)),
  ];
}

async function tokenChanges({ github, repository }: SetUp): Promise<Change[]> {
  const wanted = { default_workflow_permissions: "read", can_approve_pull_request_reviews: false } as const;
  const { data } = await github.rest.actions.getGithubActionsDefaultWorkflowPermissionsRepository({
    ...repository,
  });
  if (covers(data, wanted)) return [];
  return [
    {
      what: "a workflow's default token",
      before: `${data.default_workflow_permissions}, may approve: ${data.can_approve_pull_request_reviews}`,
      after: "read, may not approve pull requests",
      make: () =>
        github.rest.actions.setGithubActionsDefaultWorkflowPermissionsRepository({
          ...repository,
          ...wanted,
        }),
    },
  ];
}

async function variableChanges({ github, repository, settings }: SetUp): Promise<Change[]> {
  const wanted = {
    AWS_REGION: settings.region,
    AWS_SESSION_SECONDS: String(settings.sessionSeconds),
    ROUNDTRIP_ENVIRONMENTS: JSON.stringify(Object.keys(settings.environments)),
    TERRAFORM_STATE_BUCKET: settings.stateBucket,
    ...(settings.releases ? { RELEASE_BUCKET: settings.releases.bucket } : {}),
  };
  const list = github.rest.actions.listRepoVariables;
  const told = await github.paginate(list, { ...repository, per_page: 30 });
  return Object.entries(wanted).flatMap(([name, value]) => {
    const before = told.find((variable) => variable.name === name)?.value;
    if (before === value) return [];
    const variable = { ...repository, name, value };
    return [
      {
        what: `variable ${name}`,
        before: before ?? "not there",
        after: value,
        make: () =>
          before === undefined
            ? github.rest.actions.createRepoVariable(variable)
            : github.rest.actions.updateRepoVariable(variable),
      },
    ];
  });
}

async function labelChanges({ github, repository }: SetUp): Promise<Change[]> {
  const list = github.rest.issues.listLabelsForRepo;
  const told = await github.paginate(list, { ...repository, per_page: 100 });
  return labels
    .filter((label) => !told.some(({ name }) => name.toLowerCase() === label.name))
    .map((label) => ({
      what: `label ${label.name}`,
      before: "not there",
      after: label.description,
      make: () => github.rest.issues.createLabel({ ...repository, ...label }),
    }));
}

async function ruleChanges({ github, repository, settings }: SetUp): Promise<Change[]> {
  const wanted = {
    name: rulesetName,
    target: "branch" as const,
    enforcement: "active" as const,
    conditions: { ref_name: { include: [`refs/heads/${settings.branch}`], exclude: [] } },
    rules: [
      { type: "deletion" as const },
      { type: "non_fast_forward" as const },
      {
        type: "pull_request" as const,
        parameters: {
          required_approving_review_count: 1,
          dismiss_stale_reviews_on_push: true,
          require_code_owner_review: true,
          require_last_push_approval: true,
          required_review_thread_resolution: false,
        },
      },
      {
        type: "required_status_checks" as const,
        parameters: {
          strict_required_status_checks_policy: false,
          required_status_checks: settings.requiredChecks.map((context) => ({ context })),
        },
      },
    ],
  };
  const list = github.rest.repos.getRepoRulesets;
  const all = await github.paginate(list, { ...repository, per_page: 100 });
  const id = all.find(({ name }) => name === rulesetName)?.id;
  const told =
    id === undefined
      ? undefined
      : (await github.rest.repos.getRepoRuleset({ ...repository, ruleset_id: id })).data;
  if (covers(told, wanted)) return [];
  return [
    {
      what: `rules of branch ${settings.branch}`,
      before: told ? "other rules" : "none of these",
      after: "by pull request, approved by a code owner after the last push; no force push, no deletion",
      make: () =>
        id === undefined
          ? github.rest.repos.createRepoRuleset({ ...repository, ...wanted })
          : github.rest.repos.updateRepoRuleset({ ...repository, ...wanted, ruleset_id: id }),
    },
  ];
}
