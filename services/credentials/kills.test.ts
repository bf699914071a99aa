import { expect, setDefaultTimeout, test } from "bun:test";
import { CredentialsWorld, oldPassword } from "../../tests/support/credentials-world.ts";
import { type Death, Mortal } from "../../tests/support/dying.ts";
import { createDatabases } from "../access/databases.ts";
import { loadAction } from "../actions/registry.ts";
import type { ServiceContext } from "../runtime/definition.ts";

setDefaultTimeout(120_000);

/** Runs one action once, dying at a call to Secrets Manager, DocumentDB or the bucket. Gives what it did. */
async function runDying(
  world: CredentialsWorld,
  death: Death,
  action: string,
  given: Readonly<Record<string, string>>,
): Promise<Mortal> {
  const mortal = new Mortal(death);
  const { service } = world.world;
  const dying: ServiceContext = {
    ...service,
    secretVersions: mortal.wrap(service.secretVersions),
    store: mortal.wrap(service.store),
  };
  await using real = createDatabases(service.environment, service.secrets, "test");
  const opened = await real.open("documentdb");
  const server = { ...mortal.wrap(opened, ["command"]), access: mortal.wrap(opened.access) };
  const databases = { open: async () => server, async [Symbol.asyncDispose]() {} };
  const run = await loadAction(action);
  const parameter = (name: string) => given[name] ?? "-";
  const context = { service: dying, databases, parameter, failback: undefined as never };
  const outcome = await run(context).catch((error: Error) => error);
  if (outcome instanceof Error && mortal.diedAt === undefined) throw outcome;
  return mortal;
}

/** An action killed before and after each of its writes, then at each call that is left, and so run to its end. */
async function killEverywhere(
  world: CredentialsWorld,
  action: string,
  given: Readonly<Record<string, string>>,
  writes: readonly string[],
  between: () => Promise<void> = async () => {},
): Promise<void> {
  for (const at of writes) {
    for (const when of ["before", "after"] as const) {
      const { diedAt } = await runDying(world, { at, when }, action, given);
      expect(diedAt).toBe(at);
      await between();
    }
  }
  let died: string | undefined = "yes";
  for (let at = 1; died !== undefined; at++) {
    died = (await runDying(world, { at, when: at % 2 ? "before" : "after" }, action, given)).diedAt;
    await between();
  }
}

for (const change of ["user-and-password", "password"] as const) {
  test(`rotation (${change}): killed before and after each call, someone can always log in, and it ends as if never killed`, async () => {
    await using world = await CredentialsWorld.start();
    const given = { account: "replication", change, operation: "rotation-1" };
    const current = async () => (await world.versions.read("dms-secret", { label: "AWSCURRENT" }))!;
    const usable = async (labels: readonly ("AWSCURRENT" | "AWSPENDING")[]) => {
      for (const label of labels) {
        const fields = await world.versions.read("dms-secret", { label });
        if (fields && (await world.login(fields.username ?? "", fields.password ?? "")) === 0) return true;
      }
      return false;
    };
    const preparing = change === "password" ? ["putPending"] : ["putPending", "command createUser"];
    await killEverywhere(world, "prepare-credentials", given, preparing, async () => {
      expect(await usable(["AWSCURRENT"])).toBe(true);
    });
    // The password alone: between the user's change and the promotion the pending version is the one that opens.
    const labels =
      change === "password" ? (["AWSCURRENT", "AWSPENDING"] as const) : (["AWSCURRENT"] as const);
    const promoting = [
      ...(change === "password" ? ["command updateUser"] : []),
      "promote",
      "removeLabel",
      "put",
    ];
    await killEverywhere(world, "promote-credentials", given, promoting, async () => {
      expect(await usable(labels)).toBe(true);
    });
    const username = change === "password" ? "dms" : "dms_b";
    const fields = await current();
    expect(fields.username).toBe(username);
    expect(await world.login(username, fields.password ?? "")).toBe(0);
    expect(await world.login("dms", oldPassword)).toBe(change === "password" ? 18 : 0);
    expect((await world.versions.list("dms-secret")).map(({ labels }) => labels).sort()).toEqual([
      ["AWSCURRENT"],
      ["AWSPREVIOUS"],
    ]);
    expect(
      Object.keys(await world.users())
        .filter((name) => name.startsWith("dms"))
        .sort(),
    ).toEqual(change === "password" ? ["dms"] : ["dms", "dms_b"]);
    if (change === "user-and-password") {
      const removal = { account: "replication", "old-username": "dms" };
      await killEverywhere(world, "remove-old-user", removal, ["command dropUser", "removeLabel", "put"]);
      expect(Object.keys(await world.users())).not.toContain("dms");
      expect((await world.versions.list("dms-secret")).map(({ labels }) => labels)).toEqual([["AWSCURRENT"]]);
    }
  });
}

test("giving up what is pending: killed anywhere it ends with the user as it was, and nothing pending", async () => {
  await using world = await CredentialsWorld.start();
  const pending = { account: "replication", "give-up": "pending" };
  const users = Object.keys(await world.users());
  for (const change of ["user-and-password", "password"]) {
    const given = { account: "replication", change, operation: `rotation-${change}` };
    await world.must("prepare-credentials", given);
    // Killed in the middle of the promotion: the user has a password already that the current version has not.
    if (change === "password")
      await runDying(world, { at: "promote", when: "before" }, "promote-credentials", given);
    const writes = [change === "password" ? "command updateUser" : "command dropUser", "removeLabel"];
    await killEverywhere(world, "abandon-credentials", pending, writes);
    expect(Object.keys(await world.users())).toEqual(users);
    expect(await world.login("dms", oldPassword)).toBe(0);
    expect((await world.versions.list("dms-secret")).map(({ labels }) => labels)).toEqual([["AWSCURRENT"]]);
  }
});

test("going back from what was promoted: killed anywhere it goes back once, and not forward again", async () => {
  await using world = await CredentialsWorld.start();
  const given = { account: "replication", change: "user-and-password", operation: "rotation-1" };
  await world.must("prepare-credentials", given);
  await world.must("promote-credentials", given);
  const back = { account: "replication", "give-up": "current" };
  await killEverywhere(world, "abandon-credentials", back, ["promote", "put"]);
  const current = (await world.versions.read("dms-secret", { label: "AWSCURRENT" }))!;
  expect([current.username, await world.login("dms", oldPassword)]).toEqual(["dms", 0]);
  await world.must("remove-old-user", { account: "replication", "old-username": "dms_b" });
  expect(Object.keys(await world.users())).not.toContain("dms_b");
  const { failure } = await world.run("abandon-credentials", back);
  expect(failure).toBeUndefined();
});

test("there is no way back from a password alone, and none without a rotation on record", async () => {
  await using world = await CredentialsWorld.start();
  const back = { account: "replication", "give-up": "current" };
  expect((await world.run("abandon-credentials", back)).failure).toMatchObject({
    kind: "refused",
    got: "no rotation on record has made the current version",
  });
  const given = { account: "replication", change: "password", operation: "rotation-1" };
  await world.must("prepare-credentials", given);
  expect((await world.run("abandon-credentials", back)).failure?.got).toContain("is pending");
  await world.must("promote-credentials", given);
  const { failure } = await world.run("abandon-credentials", back);
  expect(failure?.got).toContain("the login of dms is refused");
});
