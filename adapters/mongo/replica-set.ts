import type { Document, MongoClient, Timestamp } from "mongodb";
import type { OperationTime } from "../../core/ports.ts";

export interface ReplicaSetIdentity {
  readonly setName: string;
  /** Made when the set was initiated; a set built anew under the same name has another one. */
  readonly replicaSetId: string;
}

/** Who this replica set is, by its configuration. Needs the privilege replSetGetConfig (clusterMonitor, backup). */
export async function replicaSetIdentity(client: MongoClient): Promise<ReplicaSetIdentity> {
  const { config } = await client.db("admin").command({ replSetGetConfig: 1 });
  return { setName: String(config._id), replicaSetId: String(config.settings?.replicaSetId ?? "") };
}

/** First and last entry of the oplog: what it still holds. */
export async function oplogWindow(
  client: MongoClient,
): Promise<{ first: OperationTime; last: OperationTime }> {
  const oplog = client.db("local").collection("oplog.rs");
  const end = async (direction: 1 | -1) => {
    const entry = await oplog.findOne<Document>({}, { sort: { $natural: direction }, projection: { ts: 1 } });
    if (!entry) throw new Error("the oplog is empty");
    return operationTimeOf(entry.ts as Timestamp);
  };
  return { first: await end(1), last: await end(-1) };
}

/** The members that bear data and answer, by their host and port as the set knows them. */
export async function dataMembers(client: MongoClient): Promise<string[]> {
  const { members } = await client.db("admin").command({ replSetGetStatus: 1 });
  return (members as Document[])
    .filter((member) => member.stateStr === "PRIMARY" || member.stateStr === "SECONDARY")
    .map((member) => String(member.name));
}

/** The time of the server's newest operation; from any reply of a replica set or of DocumentDB. */
export async function operationTime(client: MongoClient): Promise<OperationTime> {
  const reply = await client.db("admin").command({ hello: 1 });
  const time = reply.operationTime ?? (await client.db("admin").command({ ping: 1 })).operationTime;
  if (!time) throw new Error("the server's replies carry no operationTime");
  return operationTimeOf(time as Timestamp);
}

function operationTimeOf(timestamp: Timestamp): OperationTime {
  return { t: timestamp.getHighBitsUnsigned(), i: timestamp.getLowBitsUnsigned() };
}
