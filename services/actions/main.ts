import { createInstances } from "../../adapters/aws/instances.ts";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { createDatabases } from "../access/databases.ts";
import { runService } from "../runtime/service.ts";
import { actionOptions, findAction, readParameters } from "./parameters.ts";
import { loadAction } from "./registry.ts";
import { runAction } from "./run-action.ts";

await runService(
  {
    name: "action",
    summary: "Does one short thing on this host and prints its result as one JSON line, the last of stdout.",
    positionals: ["<name>"],
    options: actionOptions(),
    examples: [
      "roundtrip-worker action drain --failback 2026-11-21-a",
      "roundtrip-worker action service-logs --unit replication.service --lines 200",
    ],
    logOutput: "stderr",
  },
  async (service) => {
    const metadata = findAction(service.arguments.positionals[0]);
    const given = readParameters(metadata, service.arguments);
    const run = await loadAction(metadata.name);
    await using databases = createDatabases(
      service.environment,
      service.secrets,
      `roundtrip-${metadata.name}`,
    );
    const instances = createInstances({ region: service.environment.region });
    const releases = (bucket: string) => createObjectStore({ bucket, region: service.environment.region });
    const { result, failure } = await runAction(metadata, run, given, {
      service,
      databases,
      instances,
      releases,
    });
    await new Promise<void>((resolve) =>
      process.stdout.write(`${JSON.stringify(result)}\n`, () => resolve()),
    );
    if (failure) throw failure;
  },
);
