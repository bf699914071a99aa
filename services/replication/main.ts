import { runService } from "../runtime/service.ts";

await runService(
  {
    name: "replication",
    summary:
      "Reads the change stream of DocumentDB and keeps every change in the log in S3, until SIGTERM; then it finishes\nthe flush in hand. Goes on where the newest manifest says, also on another host with an empty disk.",
    examples: ["roundtrip-worker replication", "systemctl start replication.service"],
    exitCodes: {
      10: "the change stream lost what was not yet read: gap.json says from where; restore will not cross it",
      12: "another capture of the same failback wrote the next manifest; it goes on, this one ended",
    },
  },
  async (context) => {
    // Loaded here, so that the program is ready before the SDK and the driver are.
    const { replicateFromDocumentdb } = await import("./documentdb.ts");
    await replicateFromDocumentdb(context);
  },
);
