import type { MongoClient } from "mongodb";

/** First version that has setUserWriteBlockMode. */
const writeBlockMajor = 6;

/** Whether this MongoDB can block user writes as a whole; before 6.0 roles have to be revoked instead. */
export async function hasUserWriteBlock(client: MongoClient): Promise<boolean> {
  const { versionArray } = await client.db("admin").command({ buildInfo: 1 });
  return Number((versionArray as number[])[0]) >= writeBlockMajor;
}

/** Blocks or admits the writes of every user without bypassWriteBlockingMode; setting what is set does nothing. */
export async function setUserWriteBlock(client: MongoClient, blocked: boolean): Promise<void> {
  await client.db("admin").command({ setUserWriteBlockMode: 1, global: blocked });
}

/** Names of the users this connection is authenticated as. */
export async function authenticatedUsers(client: MongoClient): Promise<string[]> {
  const { authInfo } = await client.db("admin").command({ connectionStatus: 1 });
  return (authInfo.authenticatedUsers as { user: string }[]).map(({ user }) => user);
}
