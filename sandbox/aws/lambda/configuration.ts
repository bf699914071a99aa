import type { ServiceContext } from "../service.ts";
import type { LambdaFunction } from "./store.ts";

/** How long a new or changed function stays Pending / InProgress; invoking and changing it is refused meanwhile. */
export const pendingMs = 300;

export function functionArn(
  name: string,
  { region, account }: Pick<ServiceContext, "region" | "account">,
): string {
  return `arn:aws:lambda:${region}:${account}:function:${name}`;
}

/** A function's configuration as the API answers it, with its state at this moment. */
export function configurationOf(found: LambdaFunction, context: ServiceContext): object {
  const busy = context.now().getTime() < found.updated + pendingMs;
  const creating = busy && found.created === found.updated;
  return {
    Timeout: 3,
    MemorySize: 128,
    PackageType: "Zip",
    Architectures: ["x86_64"],
    EphemeralStorage: { Size: 512 },
    TracingConfig: { Mode: "PassThrough" },
    ...found.settings,
    FunctionName: found.name,
    FunctionArn: functionArn(found.name, context),
    CodeSha256: found.codeSha256,
    CodeSize: found.codeSize,
    Version: "$LATEST",
    LastModified: new Date(found.updated).toISOString().replace("Z", "+0000"),
    RevisionId: found.revision,
    State: creating ? "Pending" : "Active",
    ...(creating ? { StateReason: "The function is being created.", StateReasonCode: "Creating" } : {}),
    LastUpdateStatus: busy ? "InProgress" : "Successful",
  };
}
