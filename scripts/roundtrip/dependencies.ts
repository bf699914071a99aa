import { AwsCommands } from "../../adapters/aws/commands.ts";
import { AwsInstances } from "../../adapters/aws/instances.ts";
import { S3ObjectStore } from "../../adapters/aws/object-store.ts";
import { AwsParameters } from "../../adapters/aws/parameters.ts";
import { AwsReplicationTasks } from "../../adapters/aws/replication-tasks.ts";
import { SystemClock } from "../../adapters/clock.ts";
import { interruptSignal, type RunbookDependencies } from "../../runbooks/engine/execute.ts";
import { loadEnvironment } from "./environment.ts";

/** The concrete adapters behind the `roundtrip` command. Region, credentials and endpoints come from the AWS variables. */
export async function dependenciesFor(
  environmentName: string,
  say: (line: string) => void,
): Promise<RunbookDependencies> {
  const clock = new SystemClock();
  const environment = await loadEnvironment(new AwsParameters(), environmentName);
  const { region, bucket } = environment;
  return {
    environment,
    store: new S3ObjectStore({ bucket, region, clock }),
    instances: new AwsInstances({ region, clock }),
    commands: new AwsCommands({ region, clock }),
    tasks: new AwsReplicationTasks({ region, clock }),
    clock,
    signal: interruptSignal(),
    say,
  };
}
