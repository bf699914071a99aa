/** A failback that begins while a rotation's old user still stands beside the new one. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { writeJson } from "../../adapters/state/json.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { FailbackWorld } from "../support/failback-world.ts";

setDefaultTimeout(60_000);

/** As rotate-credentials leaves it: two users, the secret's version before the current one opens the old one. */
async function rotated(it: FailbackWorld, previousFits = true): Promise<void> {
  const { service } = it.world;
  const client = await it.client("documentdb");
  const roles = [{ role: "readWriteAnyDatabase", db: "admin" }];
  await client.db("admin").command({ createUser: "dms_b", pwd: "second-password", roles });
  const { secretVersions } = service;
  const [before] = await secretVersions.list("dms-secret");
  await secretVersions.putPending("dms-secret", "v2", { username: "dms_b", password: "second-password" });
  await secretVersions.promote("dms-secret", before!.id, "v2");
  if (!previousFits) {
    await secretVersions.putPending("dms-secret", "v3", { username: "dms_b", password: "second-password" });
    await secretVersions.promote("dms-secret", "v2", "v3");
  }
  const record: PromotionRecord = {
    version: 1,
    account: "replication",
    secret: "dms-secret",
    versionId: "v2",
    username: "dms_b",
    previousUsername: "dms",
    oldUsername: "dms",
    operationId: "o",
    promotedAt: new Date().toISOString(),
  };
  await writeJson(service.store, promotionKey("replication"), record);
}

async function rolesOf(it: FailbackWorld): Promise<Record<string, string[]>> {
  const client = await it.client("documentdb");
  const { users } = await client.db("admin").command({ usersInfo: 1 });
  const entries = (users as { user: string; roles: { role: string }[] }[])
    .filter(({ user }) => user.startsWith("dms"))
    .map(({ user, roles }) => [user, roles.map(({ role }) => role)]);
  return Object.fromEntries(entries);
}

test("failback 1: after a rotation both the new and the old user of DMS lose their writes, each refusal proved", async () => {
  await using it = await FailbackWorld.start();
  await rotated(it);
  await it.world.enter("capturing");
  const { data } = await it.must("demote-writers");
  expect(data.demoted).toEqual(["dms", "dms_b"]);
  expect(await rolesOf(it)).toEqual({ dms: ["readAnyDatabase"], dms_b: ["readAnyDatabase"] });
});

test("failback 1: an old user whose login nobody has any more stops the start by name", async () => {
  await using it = await FailbackWorld.start();
  await rotated(it, false);
  await it.world.enter("capturing");
  const { failure } = await it.run("demote-writers");
  expect(failure?.message).toContain("user dms is listed");
  expect(await rolesOf(it)).toEqual({ dms: ["readWriteAnyDatabase"], dms_b: ["readWriteAnyDatabase"] });
});
