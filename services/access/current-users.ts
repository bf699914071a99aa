import { readJson } from "../../adapters/state/json.ts";
import type { WriterLogin } from "../../core/access/ports.ts";
import { type PromotionRecord, promotionKey } from "../../core/credentials/accounts.ts";
import { usernameOf } from "../../core/credentials/secret-fields.ts";
import type { Environment } from "../../core/failback/documents.ts";
import type { ServiceContext } from "../runtime/definition.ts";

/**
 * The environment with the users DMS has since its last rotation: the published document keeps the name it was made
 * with. The old user of a rotation, not yet removed, can write like the new one, and is listed as another writer; its
 * login is the secret's version before the current one. Where that version is another user's, the old one stays
 * unlisted, and a failback stops at it by name: nobody could prove that it lost its rights.
 */
export async function environmentNow({
  environment,
  store,
  secretVersions,
}: Pick<ServiceContext, "environment" | "store" | "secretVersions">): Promise<Environment> {
  const record = (await readJson<PromotionRecord>(store, promotionKey("replication")))?.value;
  if (!record) return environment;
  const { documentdb } = environment;
  const { secret } = documentdb.replicationUser;
  const old: WriterLogin[] = [];
  if (record.oldUsername && !record.removedAt) {
    const previous = await secretVersions.read(secret, { label: "AWSPREVIOUS" });
    if (previous && usernameOf(previous) === record.oldUsername)
      old.push({ name: record.oldUsername, secret, label: "AWSPREVIOUS" });
  }
  return {
    ...environment,
    documentdb: {
      ...documentdb,
      replicationUser: { name: record.username, secret },
      otherWriters: [...documentdb.otherWriters, ...old],
    },
  };
}
