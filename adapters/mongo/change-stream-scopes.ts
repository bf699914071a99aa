import type { Document, MongoClient } from "mongodb";

/** Whether change streams are on for the whole cluster (Amazon DocumentDB): a row with both names empty. */
export async function isClusterStreamOn(client: MongoClient): Promise<boolean> {
  const rows = await client
    .db("admin")
    .aggregate<Document>([{ $listChangeStreams: 1 }])
    .toArray();
  return rows.some((row) => row.database === "" && row.collection === "");
}

/** Switches change streams on or off for the whole cluster; switching to what already is does nothing. */
export async function setClusterStream(client: MongoClient, enable: boolean): Promise<void> {
  await client.db("admin").command({ modifyChangeStreams: 1, database: "", collection: "", enable });
}
