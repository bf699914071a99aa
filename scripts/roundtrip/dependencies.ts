import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsFunctions } from "../../adapters/aws/functions.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { createObjectStore } from "../../adapters/aws/object-store.ts";
import { createParameters } from "../../adapters/aws/parameters.ts";
import { AwsReplicationEndpoints } from "../../adapters/aws/replication-endpoints.ts";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { systemClock } from "../../adapters/clock.ts";
import { interruptSignal, type RunbookDependencies } from "../../runbooks/engine/execution.ts";
import { loadEnvironment } from "./environment.ts";

/** The concrete adapters behind the `roundtrip` command. Region, credentials and endpoints come from the AWS variables. */
export async function dependenciesFor(
  environmentName: string,
  say: (line: string) => void,
): Promise<RunbookDependencies> {
  const environment = await loadEnvironment(createParameters(), environmentName);
  const { region, bucket } = environment;
  return {
    environment,
    store: createObjectStore({ bucket, region }),
    instances: new AwsInstances({ region }),
    commands: new AwsCommands({ region }),
    tasks: new AwsReplicationTasks({ region }),
    endpoints: new AwsReplicationEndpoints({ region }),
    functions: new AwsFunctions({ region }),
    clock: systemClock,
    signal: interruptSignal(),
    say,
  };
}
