import { runService } from "../runtime/service.ts";

await runService(
  {
    name: "restore",
    summary:
      "Applies the log to MongoDB, compares both sides document by document, and writes the verdict. Goes on where it\nstopped, also on another host. Ends with the verdict's exit code.",
    examples: ["roundtrip-worker restore", "systemctl start restore.service"],
    exitCodes: {
      0: "PROVEN: MongoDB holds what DocumentDB holds; the phase is verified",
      3: "something that must hold before the first apply does not: nothing was changed",
      10: "the log has a gap, which is never crossed",
      11: "the log is torn or has a hole: nothing behind it was applied",
      12: "another restore of the same failback took over",
      13: "DIFFERS: the verdict names the documents, indexes and conflicts",
      14: "UNKNOWN: something was not seen, or somebody else wrote",
    },
  },
  async (service) => {
    // Loaded here, so that the program is ready before the SDK and the driver are.
    const { createDatabases } = await import("../access/databases.ts");
    const { runRestore } = await import("./run.ts");
    await using databases = createDatabases(service.environment, service.secrets, "roundtrip-restore");
    await runRestore(service, databases);
  },
);
