import type { MongoClient } from "mongodb";
import { connectMember, isTtlOn, setTtl } from "../../adapters/mongo/members.ts";
import { dataMembers } from "../../adapters/mongo/replica-set.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { MongodbClosing } from "../../core/failback/documents.ts";
import type { Server } from "../access/databases.ts";

type TtlState = MongodbClosing["ttl"][number];

/** ttlMonitorEnabled of every data-bearing member that answers. */
export async function readTtl(client: MongoClient): Promise<TtlState[]> {
  return eachMember(client, async (member, host) => ({ member: host, enabled: await isTtlOn(member) }));
}

/**
 * Sets TTL deletion on every data-bearing member, as each had it (`before`) or all alike. Any of them may become
 * primary, so all are set; a member `before` does not know gets the default, on.
 */
export async function applyTtl(client: MongoClient, wanted: false | readonly TtlState[]): Promise<void> {
  await eachMember(client, async (member, host) => {
    const enabled = wanted !== false && (wanted.find((state) => state.member === host)?.enabled ?? true);
    await setTtl(member, enabled);
    if ((await isTtlOn(member)) !== enabled) throw notTaken(host, enabled);
  });
}

/** No member deletes by TTL until the verdict (invariants.md 15). Fails with what MongoDB said. */
export async function ttlOff(server: Server): Promise<void> {
  try {
    await applyTtl(server.client, false);
  } catch (error) {
    throw server.failure(error, "keep TTL deletion off on MongoDB");
  }
}

async function eachMember<T>(
  client: MongoClient,
  run: (member: MongoClient, host: string) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const host of await dataMembers(client)) {
    const member = await connectMember(client, host);
    try {
      results.push(await run(member, host));
    } finally {
      await member.close().catch(() => {});
    }
  }
  return results;
}

function notTaken(host: string, enabled: boolean): RoundtripError {
  return new RoundtripError({
    kind: "unavailable",
    what: `switch TTL deletion ${enabled ? "on" : "off"} on member ${host} of MongoDB`,
    expected: `ttlMonitorEnabled ${enabled}`,
    got: `ttlMonitorEnabled ${!enabled}`,
    wayOut: "see what else sets the parameter on that member, then run the step again",
  });
}
