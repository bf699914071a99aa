import { MongoClient } from "mongodb";

const selectionTimeoutMs = 5000;

/** Connects to one member of the set and no other, with the credentials and TLS settings of a client of the set. */
export async function connectMember(client: MongoClient, host: string): Promise<MongoClient> {
  const { credentials, tls, tlsCAFile, tlsCertificateKeyFile, tlsAllowInvalidHostnames } = client.options;
  const member = new MongoClient(`mongodb://${host}/`, {
    directConnection: true,
    appName: "roundtrip-member",
    serverSelectionTimeoutMS: selectionTimeoutMs,
    connectTimeoutMS: selectionTimeoutMs,
    ...(credentials
      ? {
          auth: { username: credentials.username, password: credentials.password },
          authSource: credentials.source,
        }
      : {}),
    ...(tls ? { tls } : {}),
    ...(tlsCAFile ? { tlsCAFile } : {}),
    ...(tlsCertificateKeyFile ? { tlsCertificateKeyFile } : {}),
    ...(tlsAllowInvalidHostnames ? { tlsAllowInvalidHostnames } : {}),
  });
  try {
    await member.connect();
    return member;
  } catch (error) {
    await member.close().catch(() => {});
    throw error;
  }
}

/** Whether the member deletes expired documents. The parameter is each member's own and ends with its process. */
export async function isTtlOn(member: MongoClient): Promise<boolean> {
  const reply = await member.db("admin").command({ getParameter: 1, ttlMonitorEnabled: 1 });
  return reply.ttlMonitorEnabled === true;
}

export async function setTtl(member: MongoClient, enabled: boolean): Promise<void> {
  await member.db("admin").command({ setParameter: 1, ttlMonitorEnabled: enabled });
}
