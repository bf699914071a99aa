import { RoundtripError } from "../../core/errors.ts";

/** The function's own configuration, as its environment variables give it. */
export interface NotifySettings {
  readonly environment: string;
  readonly bucket: string;
  readonly region: string;
  /** Name or ARN of the secret with the webhook's address. */
  readonly webhookSecret: string;
  /** Where runbooks are started, such as https://github.com/acme/data. */
  readonly repository?: string;
}

/** Reads the variables that Terraform sets. Fails `configuration` naming the one that is missing. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): NotifySettings {
  const needed = (name: string): string => {
    const value = variables[name];
    if (value) return value;
    throw new RoundtripError({
      kind: "configuration",
      what: `read the variable ${name} of the function notify`,
      expected: "a value",
      got: "none",
      wayOut: "apply the stack again: Terraform sets the function's variables (terraform/modules/notify)",
    });
  };
  const { ROUNDTRIP_REPOSITORY: repository } = variables;
  return {
    environment: needed("ROUNDTRIP_ENVIRONMENT"),
    bucket: needed("ROUNDTRIP_BUCKET"),
    region: needed("AWS_REGION"),
    webhookSecret: needed("ROUNDTRIP_WEBHOOK_SECRET"),
    ...(repository ? { repository } : {}),
  };
}
