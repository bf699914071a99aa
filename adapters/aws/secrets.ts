import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { RoundtripError } from "../../core/errors.ts";
import type { Secrets } from "../../core/ports.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { readSecretFields } from "./secret-fields.ts";

const missing = ["ResourceNotFoundException", "InvalidRequestException"];

/** Secrets Manager. Every call reads anew: a rotated secret is seen by whoever asks again. Errors name the secret, never its value. */
export class AwsSecrets implements Secrets {
  private readonly client: SecretsManagerClient;

  constructor(settings: ClientSettings = {}) {
    this.client = new SecretsManagerClient(clientOptions(settings));
  }

  async get(name: string): Promise<Readonly<Record<string, string>>> {
    const what = `read secret ${name}`;
    const expected = "a JSON object of strings in SecretString (AWSCURRENT)";
    let text: string | undefined;
    try {
      ({ SecretString: text } = await this.client.send(new GetSecretValueCommand({ SecretId: name })));
    } catch (error) {
      const wayOut =
        "check the secret's name or ARN in the environment, and that it isn't scheduled for deletion";
      throw awsError(error, { what, expected, wayOut }, missing);
    }
    const fields = text === undefined ? undefined : readSecretFields(text);
    if (fields !== undefined) return fields;
    const got =
      text === undefined ? "a binary secret" : `text of ${Buffer.byteLength(text)} bytes that isn't one`;
    const wayOut = `store it as {"username": …, "password": …} in Secrets Manager`;
    throw new RoundtripError({ kind: "configuration", what, expected, got, wayOut });
  }
}

/** Secrets Manager of a region. */
export function createSecrets(settings: ClientSettings = {}): Secrets {
  return new AwsSecrets(settings);
}
