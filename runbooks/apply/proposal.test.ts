import { describe, expect, test } from "bun:test";
import { MemoryObjectStore } from "../../adapters/memory/object-store.ts";
import { recordApplied } from "../../adapters/state/applied-store.ts";
import { writeJson } from "../../adapters/state/json.ts";
import { openOperationKey, operationKeys } from "../../core/operations/layout.ts";
import { type Applied, appliedKey } from "../../core/plan/applied.ts";
import type { OpenOperation } from "../engine/operation.ts";
import { type Proposal, type ProposalRequest, propose } from "./proposal.ts";

const [first, second, third] = ["1", "2", "3"].map((digit) => digit.repeat(40)) as [string, string, string];

function tasks(...collections: string[]): string {
  return `version: 1\ntasks:\n  - id: shop\n    database: shop\n    collections: [${collections.join(", ")}]\n`;
}

function head(commit: string, ...collections: string[]): ProposalRequest["head"] {
  return { tasksText: tasks(...collections), commit, tree: commit };
}

function request(more: Partial<ProposalRequest> = {}): ProposalRequest {
  return {
    environment: "dev",
    head: head(second, "orders", "notes"),
    unreviewed: false,
    yesDelete: false,
    isAncestor: async () => false,
    ...more,
  };
}

/** A bucket in which `orders` was applied from the first commit. */
async function bucket(more: Partial<Applied> = {}): Promise<MemoryObjectStore> {
  const store = new MemoryObjectStore();
  const applied = {
    version: 1,
    environment: "dev",
    tasksText: tasks("orders"),
    commit: first,
    tree: first,
    digest: `sha256:${"0".repeat(64)}`,
    operationId: "dev-apply-1",
    appliedAt: "2026-11-21T10:00:00.000Z",
    by: { actor: "ben" },
    ...more,
  } as const;
  await recordApplied(store, applied, undefined);
  return store;
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing was refused",
    (error: Error) => error.message,
  );
}

async function digestOf(store: MemoryObjectStore, more: Partial<ProposalRequest> = {}): Promise<string> {
  const proposed = await propose(store, request({ unreviewed: true, yesDelete: true, ...more }));
  if (proposed.state !== "open") throw new Error("applied already");
  return proposed.proposal.plan.digest;
}

describe("an apply starts from what was last applied, and does what was reviewed", () => {
  test("the reviewed digest is taken, and the base goes with it", async () => {
    const store = await bucket();
    const digest = await digestOf(store);
    const proposed = await propose(store, request({ digest }));
    expect(proposed).toMatchObject({
      state: "open",
      proposal: { environment: "dev", base: { value: { commit: first } }, plan: { digest } },
    });
  });

  test("without a record everything is new", async () => {
    const proposed = await propose(new MemoryObjectStore(), request({ unreviewed: true }));
    expect(proposed).toMatchObject({ proposal: { plan: { summary: { create: 1 } } } });
  });

  test("stale: something else was applied since the review", async () => {
    const digest = await digestOf(await bucket());
    const moved = await bucket({ commit: third, tree: third, tasksText: tasks("orders", "returns") });
    expect(await messageOf(propose(moved, request({ digest })))).toBe(
      `apply the plan that was reviewed (${digest}): expected planning again to give the same digest; planned from commit ${third}, applied 2026-11-21T10:00:00.000Z by ben, got ${await digestOf(moved)}: what was applied, or the commit's tree, has changed since the review. Way out: have the new plan reviewed (run the plan again on the pull request, or roundtrip plan --env), then apply its digest`,
    );
  });

  test("the same tree from another commit is what was reviewed, another tree is not", async () => {
    const store = await bucket();
    const digest = await digestOf(store);
    const squashed = { ...head(third, "orders", "notes"), tree: second };
    expect(await propose(store, request({ digest, head: squashed }))).toMatchObject({ state: "open" });
    const merged = head(third, "orders", "notes");
    expect(await messageOf(propose(store, request({ digest, head: merged })))).toContain(
      "has changed since the review",
    );
  });

  test("an ancestor of what was last applied is refused", async () => {
    const older = request({ digest: `sha256:${"1".repeat(64)}`, isAncestor: async () => true });
    expect(await messageOf(propose(await bucket(), older))).toBe(
      `apply commit ${second}: expected a commit that is not older than what was last applied (${first}), got an ancestor of it: 2026-11-21T10:00:00.000Z ben applied a newer one. Way out: apply the newest commit; to go back, revert in git and apply the revert`,
    );
  });

  test("where git can't tell which commit is older, nothing is applied", async () => {
    const unknown = request({ digest: `sha256:${"1".repeat(64)}`, isAncestor: async () => undefined });
    expect(await messageOf(propose(await bucket(), unknown))).toContain(
      "got git can't tell: the commit that was applied is not in this clone. Way out: fetch the whole history (fetch-depth: 0; git fetch --unshallow)",
    );
  });

  test("applied already: the same digest and tree", async () => {
    const store = await bucket({ digest: `sha256:${"5".repeat(64)}` });
    const again = request({ digest: `sha256:${"5".repeat(64)}`, head: head(first, "orders") });
    expect(await propose(store, again)).toMatchObject({ state: "applied", applied: { commit: first } });
  });
});

describe("without a review", () => {
  test("dev says how to go on", async () => {
    const store = await bucket();
    const digest = await digestOf(store);
    expect(await messageOf(propose(store, request()))).toBe(
      `apply plan ${digest} in dev: expected the digest of the plan that was reviewed, got no --digest. Way out: see roundtrip plan --env dev --head HEAD, then add --digest ${digest}, or --unreviewed to apply without a review`,
    );
  });

  test("prod never applies it", async () => {
    const store = await bucket({ environment: "prod" });
    const refused = await messageOf(propose(store, request({ environment: "prod", unreviewed: true })));
    expect(refused).toMatch(
      /^apply plan sha256:\w+ in prod: expected the digest of the plan that was reviewed, got --unreviewed, which dev alone allows\. Way out: have this plan reviewed, then add --digest sha256:\w+$/,
    );
  });

  test("dropping data needs a word of its own", async () => {
    const store = await bucket({ tasksText: tasks("orders", "old") });
    const drop = request({ unreviewed: true, head: head(second, "orders") });
    expect(await messageOf(propose(store, drop))).toContain(
      "expected --yes-delete, because nobody reviewed that data is dropped, got drops on DocumentDB: shop.old. Way out: add --yes-delete when that is meant",
    );
    expect(await propose(store, { ...drop, yesDelete: true })).toMatchObject({ state: "open" });
  });
});

test("an interrupted apply of the same digest goes on as it was planned, whatever was applied meanwhile", async () => {
  const store = await bucket();
  const proposed = await propose(store, request({ unreviewed: true }));
  const { proposal } = proposed as { proposal: Proposal };
  const { digest } = proposal.plan;
  const pointer: Partial<OpenOperation> = {
    operationId: "dev-apply-2",
    state: "open",
    inputsDigest: await digestOfInputs(digest),
  };
  await writeJson(store, openOperationKey("apply"), pointer);
  await writeJson(store, operationKeys("dev-apply-2").plan, proposal);
  await writeJson(store, appliedKey, { ...proposal.base?.value, commit: third, tree: third });
  const again = request({ digest, head: head(third, "orders") });
  expect(await propose(store, again)).toEqual({ state: "open", proposal });
  // One that came to its end is over: what was applied since counts.
  await writeJson(store, openOperationKey("apply"), { ...pointer, state: "done" });
  expect(await messageOf(propose(store, again))).toContain("expected planning again to give the same digest");
});

async function digestOfInputs(digest: string): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify([["digest", digest]]));
  const hash = await crypto.subtle.digest("SHA-256", bytes);
  return `sha256:${Buffer.from(hash).toString("hex")}`;
}

test("an environment tasks.yaml doesn't know is refused", async () => {
  expect(await messageOf(propose(new MemoryObjectStore(), request({ environment: "drill" })))).toBe(
    "apply tasks.yaml in environment drill: expected an environment tasks.yaml knows: dev, qa, prod, got drill. Way out: name one of them with --env",
  );
});

test("a base that is damaged is never guessed", async () => {
  const store = new MemoryObjectStore();
  await writeJson(store, appliedKey, { version: 1, environment: "dev" });
  expect(await messageOf(propose(store, request({ unreviewed: true })))).toContain(
    "read applied/current.json: expected a document by schemas/applied.schema.json",
  );
  const other = await bucket({ environment: "qa" });
  expect(await messageOf(propose(other, request({ unreviewed: true })))).toBe(
    "read applied/current.json: expected environment dev, got qa. Way out: see that --env names the environment of this bucket; else restore the object's last whole version",
  );
});
