import { orMissing } from "../../../adapters/github/client.ts";
import { type Change, covers, type SetUp } from "./change.ts";
import { type Purpose, type PurposeSettings, purposes } from "./settings.ts";

interface Reviewer {
  readonly type: "User" | "Team";
  readonly id: number;
}

/** The GitHub environment of a purpose: `prod` itself is applied to, the others carry the purpose before the name. */
function environmentOf(name: string, purpose: Purpose): string {
  return purpose === "apply" ? name : `${purpose}-${name}`;
}

/** What is to be changed at the environments: gates, the branch that may use them, and the role in each. */
export async function environmentChanges(setUp: SetUp): Promise<Change[]> {
  const changes: Change[] = [];
  for (const [name, settings] of Object.entries(setUp.settings.environments))
    for (const purpose of purposes)
      changes.push(...(await changesOf(setUp, environmentOf(name, purpose), purpose, settings[purpose])));
  if (setUp.settings.releases)
    changes.push(...(await changesOf(setUp, "release", "apply", setUp.settings.releases)));
  return changes;
}

async function changesOf(
  setUp: SetUp,
  environment: string,
  purpose: Purpose,
  settings: PurposeSettings,
): Promise<Change[]> {
  return [
    ...(await gateChanges(setUp, environment, purpose, settings)),
    ...(await branchChanges(setUp, environment, purpose)),
    ...(await roleChanges(setUp, environment, settings)),
  ];
}

async function gateChanges(
  { github, repository }: SetUp,
  environment: string,
  purpose: Purpose,
  { reviewers: named = [] }: PurposeSettings,
): Promise<Change[]> {
  const place = { ...repository, environment_name: environment };
  const wanted = await Promise.all(named.map((each) => reviewerNamed({ github }, each)));
  const found = await orMissing(github.rest.repos.getEnvironment(place));
  const rules = (found?.data.protection_rules ?? []) as readonly {
    readonly type: string;
    readonly reviewers?: readonly { readonly type?: string; readonly reviewer?: { readonly id: number } }[];
  }[];
  const told = rules.flatMap(({ reviewers = [] }) =>
    reviewers.map(({ type, reviewer }) => `${type} ${reviewer?.id}`),
  );
  const ids = wanted.map(({ type, id }) => `${type} ${id}`);
  // A plan runs for pull requests, whose ref is none of the branches; its role reads.
  const policy = purpose === "plan" ? null : { protected_branches: false, custom_branch_policies: true };
  const isSame =
    found !== undefined &&
    told.toSorted().join() === ids.toSorted().join() &&
    covers(found.data.deployment_branch_policy ?? null, policy);
  if (isSame) return [];
  return [
    {
      what: `environment ${environment}`,
      before: found ? `${told.length} reviewer(s)` : "not there",
      after: `${named.join(", ") || "nobody has to approve"}; ${policy ? "its branch only" : "any ref"}`,
      make: () =>
        github.rest.repos.createOrUpdateEnvironment({
          ...place,
          reviewers: wanted,
          deployment_branch_policy: policy,
        }),
    },
  ];
}

async function reviewerNamed({ github }: Pick<SetUp, "github">, name: string): Promise<Reviewer> {
  const [login = "", team] = name.slice(1).split("/");
  if (team === undefined) {
    const { data } = await github.rest.users.getByUsername({ username: login });
    return { type: "User", id: data.id };
  }
  const { data } = await github.rest.teams.getByName({ org: login, team_slug: team });
  return { type: "Team", id: data.id };
}

/** Exactly one branch may use a role that changes something: programs with credentials come from it. */
async function branchChanges(setUp: SetUp, environment: string, purpose: Purpose): Promise<Change[]> {
  if (purpose === "plan") return [];
  const { github, repository, settings } = setUp;
  const place = { ...repository, environment_name: environment };
  const list = github.rest.repos.listDeploymentBranchPolicies;
  const told = (await orMissing(github.paginate(list, { ...place, per_page: 100 }))) ?? [];
  const policies = (Array.isArray(told) ? told : []) as unknown as readonly { id?: number; name?: string }[];
  const missing = policies.some(({ name }) => name === settings.branch) ? [] : [settings.branch];
  const added = missing.map((branch) => ({
    what: `environment ${environment}, branch ${branch}`,
    before: "not allowed",
    after: "allowed",
    make: () => github.rest.repos.createDeploymentBranchPolicy({ ...place, name: branch }),
  }));
  const removed = policies
    .filter(({ name }) => name !== settings.branch)
    .map(({ id, name }) => ({
      what: `environment ${environment}, branch ${name}`,
      before: "allowed",
      after: "not allowed",
      make: () => github.rest.repos.deleteDeploymentBranchPolicy({ ...place, branch_policy_id: id! }),
    }));
  return [...added, ...removed];
}

async function roleChanges(
  { github, repository }: SetUp,
  environment: string,
  { role }: PurposeSettings,
): Promise<Change[]> {
  const place = { ...repository, environment_name: environment };
  const list = github.rest.actions.listEnvironmentVariables;
  const variables = (await orMissing(github.paginate(list, { ...place, per_page: 30 }))) ?? [];
  const before = variables.find(({ name }) => name === "AWS_ROLE")?.value;
  if (before === role) return [];
  const variable = { ...place, name: "AWS_ROLE", value: role };
  return [
    {
      what: `environment ${environment}, variable AWS_ROLE`,
      before: before ?? "not there",
      after: role,
      make: () =>
        before === undefined
          ? github.rest.actions.createEnvironmentVariable(variable)
          : github.rest.actions.updateEnvironmentVariable(variable),
    },
  ];
}
