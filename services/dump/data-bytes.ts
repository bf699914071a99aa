import type { Document } from "mongodb";
import type { Server } from "../access/databases.ts";

/** Bytes of documents a server says it holds, for an estimate of how long a dump takes. */
export async function dataBytes(server: Server): Promise<number> {
  const { databases: listed } = await server.command(
    "admin",
    { listDatabases: 1, nameOnly: true },
    "list databases",
  );
  let bytes = 0;
  for (const { name } of listed as Document[]) {
    if (name === "local") continue;
    bytes += Number((await server.command(String(name), { dbStats: 1 }, `size of ${name}`)).dataSize ?? 0);
  }
  return bytes;
}
