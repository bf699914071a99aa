import { connect, subjectOf } from "../../adapters/mongo/connect.ts";
import { mongoFailure } from "../../adapters/mongo/failure.ts";
import { oplogFlushSecondsDefault } from "../../core/backup/oplog-era.ts";
import { runService } from "../runtime/service.ts";
import { archiveOplog } from "./run.ts";

const flushBytes = 8 * 1024 * 1024;
/** A reply that never comes is a dead connection. */
const socketTimeoutMs = 60_000;

await runService(
  {
    name: "oplog-archive",
    summary:
      "Keeps MongoDB's oplog in the bucket, entry by entry without a hole, so that a backup can be restored to a point in time. Runs until it is stopped.",
  },
  async (service) => {
    const { environment, secrets } = service;
    const secretName = environment.mongodb.secret;
    const server = "MongoDB" as const;
    let secret: Readonly<Record<string, string>> = {};
    const flushSeconds = environment.backups?.oplogFlushSeconds ?? oplogFlushSecondsDefault;
    await archiveOplog(service, {
      connect: async () => {
        secret = await secrets.get(secretName);
        const driver = { socketTimeoutMS: socketTimeoutMs };
        return connect(secret, {
          server,
          secretName,
          appName: "roundtrip-oplog-archive",
          connectionsMax: 2,
          driver,
        });
      },
      failure: (error) => mongoFailure(error, subjectOf(secret, { server, secretName }, "read the oplog")),
      flushMs: flushSeconds * 1000,
      flushBytes,
    });
  },
);
