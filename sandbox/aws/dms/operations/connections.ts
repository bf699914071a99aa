/** Connection tests between endpoints and replication instances. */
import { invalidState, notFound } from "../faults.ts";
import { filtered, type Input, page, text } from "../input.ts";
import type { TestedConnection } from "../model.ts";
import type { Dms } from "../service.ts";

/** The key a connection test is stored under. */
export function connectionKey({ endpointArn, instanceArn }: TestedConnection): string {
  return `${endpointArn} ${instanceArn}`;
}

function describeConnection(dms: Dms, connection: TestedConnection): object {
  return {
    ReplicationInstanceArn: connection.instanceArn,
    EndpointArn: connection.endpointArn,
    Status: connection.status,
    LastFailureMessage: connection.failure,
    EndpointIdentifier: dms.store.get("endpoint", connection.endpointArn)?.id,
    ReplicationInstanceIdentifier: dms.store.get("instance", connection.instanceArn)?.id,
  };
}

/** Really connects and logs in; the result is read with DescribeConnections. */
function testConnection(dms: Dms, input: Input): object {
  const arn = text(input, "EndpointArn");
  const endpoint = dms.store.get("endpoint", arn);
  if (!endpoint) throw notFound(`Endpoint ${arn} not found.`);
  const instanceArn = text(input, "ReplicationInstanceArn");
  if (!dms.store.get("instance", instanceArn))
    throw notFound(`Replication Instance ${instanceArn} not found.`);
  const connection: TestedConnection = { endpointArn: endpoint.arn, instanceArn, status: "testing" };
  if (dms.store.get("connection", connectionKey(connection))?.status === "testing")
    throw invalidState(`The connection to the endpoint ${endpoint.id} is already being tested.`);
  dms.store.put("connection", connectionKey(connection), connection);
  dms.later(async () => {
    const failure = await dms.movement.tryConnection(endpoint);
    const tested: TestedConnection =
      failure === undefined
        ? { ...connection, status: "successful" }
        : { ...connection, status: "failed", failure };
    dms.store.put("connection", connectionKey(connection), tested);
  });
  return { Connection: describeConnection(dms, connection) };
}

function describeConnections(dms: Dms, input: Input): object {
  const found = filtered(input, dms.store.all("connection"), {
    "endpoint-arn": (each) => each.endpointArn,
    "replication-instance-arn": (each) => each.instanceArn,
  });
  const { items, Marker } = page(input, found);
  return { Connections: items.map((each) => describeConnection(dms, each)), Marker };
}

function deleteConnection(dms: Dms, input: Input): object {
  const key = connectionKey({
    endpointArn: text(input, "EndpointArn"),
    instanceArn: text(input, "ReplicationInstanceArn"),
    status: "deleting",
  });
  const connection = dms.store.get("connection", key);
  if (!connection) throw notFound("The connection was not found.");
  dms.store.delete("connection", key);
  return { Connection: describeConnection(dms, { ...connection, status: "deleting" }) };
}

export const connectionOperations = {
  TestConnection: testConnection,
  DescribeConnections: describeConnections,
  DeleteConnection: deleteConnection,
};
