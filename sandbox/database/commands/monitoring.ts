/** Commands that describe the server. */
import type { Command } from "../server/context.ts";

export const monitoringCommands: Command[] = [
  { name: "ping", fields: [], role: "any", open: true, run: () => ({}) },
  {
    name: "buildInfo",
    aliases: ["buildinfo"],
    fields: [],
    role: "any",
    open: true,
    run(context) {
      const version = context.server.options.serverVersion;
      return {
        version,
        gitVersion: "0000000000000000000000000000000000000000",
        modules: [],
        allocator: "system",
        javascriptEngine: "none",
        sysInfo: "deprecated",
        versionArray: [...version.split(".").map(Number), 0],
        bits: 64,
        debug: false,
        maxBsonObjectSize: 16_777_216,
        storageEngines: ["wiredTiger"],
      };
    },
  },
];
