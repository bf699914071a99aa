import {
  GetSecretValueCommand,
  ListSecretVersionIdsCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import type { SecretLabel, SecretVersion, SecretVersions } from "../../core/credentials/ports.ts";
import type { SecretFields } from "../../core/credentials/secret-fields.ts";
import { RoundtripError } from "../../core/errors.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { readSecretFields } from "./secret-fields.ts";
import { awsFailure } from "./store-failure.ts";

const pagesMax = 100;
const wayOut = "check the secret's name in the environment, and that it isn't scheduled for deletion";

/** Secrets Manager's versions. Errors name the secret and the version, never a value. */
export class AwsSecretVersions implements SecretVersions {
  private readonly client: SecretsManagerClient;

  constructor(settings: ClientSettings = {}) {
    this.client = new SecretsManagerClient(clientOptions(settings));
  }

  async list(secret: string): Promise<SecretVersion[]> {
    const versions: SecretVersion[] = [];
    let token: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await this.ask(`list the versions of secret ${secret}`, () =>
        this.client.send(
          new ListSecretVersionIdsCommand({ SecretId: secret, ...(token ? { NextToken: token } : {}) }),
        ),
      );
      for (const { VersionId = "", VersionStages = [] } of answer.Versions ?? [])
        if (VersionStages.length > 0) versions.push({ id: VersionId, labels: VersionStages });
      token = answer.NextToken;
      if (!token) return versions;
    }
    throw new RoundtripError({
      kind: "unavailable",
      what: `list the versions of secret ${secret}`,
      expected: `an end within ${pagesMax} pages`,
      got: "ever more",
      wayOut: "run it again",
    });
  }

  async read(
    secret: string,
    version: { id: string } | { label: SecretLabel },
  ): Promise<SecretFields | undefined> {
    const name = "id" in version ? version.id : version.label;
    const what = `read version ${name} of secret ${secret}`;
    let text: string | undefined;
    try {
      const chosen = "id" in version ? { VersionId: version.id } : { VersionStage: version.label };
      ({ SecretString: text } = await this.client.send(
        new GetSecretValueCommand({ SecretId: secret, ...chosen }),
      ));
    } catch (error) {
      if (awsFailure(error).name === "ResourceNotFoundException") return undefined;
      throw awsError(error, { what, expected: "its fields", wayOut }, ["InvalidRequestException"]);
    }
    const fields = text === undefined ? undefined : readSecretFields(text);
    if (fields) return fields;
    throw new RoundtripError({
      kind: "configuration",
      what,
      expected: "a JSON object of strings",
      got: text === undefined ? "a binary secret" : `text of ${Buffer.byteLength(text)} bytes that isn't one`,
      wayOut: `store it as {"username": …, "password": …} in Secrets Manager`,
    });
  }

  async putPending(secret: string, id: string, fields: SecretFields): Promise<void> {
    const SecretString = JSON.stringify(fields);
    const request = {
      SecretId: secret,
      ClientRequestToken: id,
      SecretString,
      VersionStages: ["AWSPENDING"],
    };
    const what = `keep a pending version of secret ${secret}`;
    try {
      await this.client.send(new PutSecretValueCommand(request));
    } catch (error) {
      // An earlier try of this operation arrived: its version counts, not the fields of this one.
      if (awsFailure(error).name === "ResourceExistsException") return;
      throw awsError(error, { what, expected: "it kept", wayOut }, ["ResourceNotFoundException"]);
    }
  }

  async promote(secret: string, from: string, to: string): Promise<void> {
    await this.ask(`make version ${to} of secret ${secret} the current one`, () =>
      this.client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secret,
          VersionStage: "AWSCURRENT",
          RemoveFromVersionId: from,
          MoveToVersionId: to,
        }),
      ),
    );
  }

  async removeLabel(secret: string, id: string, label: SecretLabel): Promise<void> {
    const has = (await this.list(secret)).some((each) => each.id === id && each.labels.includes(label));
    if (!has) return;
    await this.ask(`take ${label} off version ${id} of secret ${secret}`, () =>
      this.client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: secret,
          VersionStage: label,
          RemoveFromVersionId: id,
        }),
      ),
    );
  }

  private async ask<T>(what: string, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw awsError(error, { what, expected: "it done", wayOut }, [
        "ResourceNotFoundException",
        "InvalidRequestException",
      ]);
    }
  }
}

/** The versions of secrets in a region. */
export function createSecretVersions(settings: ClientSettings = {}): SecretVersions {
  return new AwsSecretVersions(settings);
}
