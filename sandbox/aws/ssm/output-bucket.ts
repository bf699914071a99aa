import { defaultCredentials } from "../identity.ts";
import type { ServiceContext } from "../service.ts";
import type { Command } from "./command-store.ts";

/** `<prefix>/<command>/<instance>/awsrunShellScript/<step>`: where the agent puts a step's `stdout` and `stderr`. */
export function outputFolder(command: Command, instanceId: string, step: string): string {
  return [command.outputPrefix.replace(/\/$/, ""), command.id, instanceId, "awsrunShellScript", step]
    .filter((part) => part !== "")
    .join("/");
}

/**
 * Writes a step's whole output into the bucket, as the agent does; an empty stream makes no object. A bucket that
 * refuses loses the output without failing the command: that is the agent's way, too.
 */
export async function writeOutput(
  context: ServiceContext,
  command: Command,
  instanceId: string,
  step: string,
  output: { readonly stdout: string; readonly stderr: string },
): Promise<void> {
  const { S3Client, PutObjectCommand } = await import("@aws-sdk/client-s3");
  const client = new S3Client({
    endpoint: context.url(),
    region: context.region,
    credentials: defaultCredentials,
    forcePathStyle: true,
    userAgentAppId: "amazon-ssm-agent",
  });
  try {
    for (const name of ["stdout", "stderr"] as const) {
      if (output[name] === "") continue;
      const Key = `${outputFolder(command, instanceId, step)}/${name}`;
      await client.send(new PutObjectCommand({ Bucket: command.outputBucket, Key, Body: output[name] }));
    }
  } catch (error) {
    console.error(`ssm: output of ${command.id} to ${command.outputBucket}: ${(error as Error).message}`);
  } finally {
    client.destroy();
  }
}
