import type { Fields, Store } from "./store.ts";
import type { Identity, Tokens } from "./tokens.ts";

type Seeds = Readonly<Record<string, unknown>>;

const known = ["repositories", "users", "teams", "tokens", "pulls", "runs"];

function listed(seeds: Seeds, name: string): Fields[] {
  return (seeds[name] ?? []) as Fields[];
}

/** What exists on GitHub by people's doing, not by the project's calls. An unknown name is an error. */
export function seed(seeds: Seeds, { store, tokens }: { store: Store; tokens: Tokens }): Fields {
  const unknown = Object.keys(seeds).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`unknown ${unknown.join(", ")}; there are ${known.join(", ")}`);
  for (const each of listed(seeds, "repositories")) addRepository(store, String(each.full_name), each);
  for (const each of listed(seeds, "users"))
    store.put("user", "", String(each.login).toLowerCase(), { type: "User", id: store.next("id"), ...each });
  for (const each of listed(seeds, "teams"))
    store.put("team", "", `${each.org}/${each.slug}`.toLowerCase(), { id: store.next("id"), ...each });
  for (const { token, ...identity } of listed(seeds, "tokens"))
    tokens.add(String(token), identity as unknown as Identity);
  for (const each of listed(seeds, "runs"))
    store.put("run", String(each.repository).toLowerCase(), String(each.id), { approvals: [], ...each });
  return { pulls: listed(seeds, "pulls").map((each) => addPull(store, each)) };
}

function addRepository(store: Store, fullName: string, given: Fields): void {
  store.put("repository", "", fullName.toLowerCase(), {
    id: store.next("id"),
    name: fullName.split("/")[1],
    owner: { login: fullName.split("/")[0] },
    private: true,
    default_branch: "main",
    ...given,
  });
}

/** A pull request and the issue it is at the same time. Gives its number. */
function addPull(store: Store, given: Fields): number {
  const { title = "a change", labels = [], state = "open", user, ...pull } = given;
  const repository = String(pull.repository).toLowerCase();
  const number = typeof pull.number === "number" ? pull.number : store.next(`issue:${repository}`);
  const author = user ?? { login: "developer", type: "User" };
  const fields = { id: store.next("id"), number, user: author };
  const named = (labels as string[]).map((name) => ({ name }));
  store.put("issue", repository, String(number), {
    ...fields,
    title,
    state,
    body: "",
    labels: named,
    pull_request: {},
  });
  store.put("pull", repository, String(number), {
    ...fields,
    head: { sha: "0".repeat(40), repo: { full_name: pull.repository } },
    merged_at: null,
    merge_commit_sha: null,
    files: [],
    reviews: [],
    ...pull,
  });
  return number;
}
