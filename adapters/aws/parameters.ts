import { GetParameterCommand, PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import type { Parameters } from "../../core/ports.ts";
import { type ClientSettings, clientOptions } from "./client-options.ts";
import { awsError } from "./failure.ts";
import { awsFailure } from "./store-failure.ts";

/** Standard parameters hold 4 KB; above that only the advanced tier does, up to 8 KB. */
const standardBytesMax = 4096;

/** SSM Parameter Store. Fails with RoundtripError naming the parameter. */
export class AwsParameters implements Parameters {
  private readonly client: SSMClient;

  constructor(settings: ClientSettings = {}) {
    this.client = new SSMClient(clientOptions(settings));
  }

  /** The value, decrypted; `undefined` where there is no such parameter. */
  async get(name: string): Promise<string | undefined> {
    try {
      const { Parameter: parameter } = await this.client.send(
        new GetParameterCommand({ Name: name, WithDecryption: true }),
      );
      if (parameter?.Value === undefined) throw new Error("an answer without a value");
      return parameter.Value;
    } catch (error) {
      if (awsFailure(error).name === "ParameterNotFound") return undefined;
      throw awsError(error, {
        what: `read SSM parameter ${name}`,
        expected: "its value",
        wayOut: "check the parameter's name in the environment",
      });
    }
  }

  /** Creates or replaces the value. A SecureString stays one. */
  async put(name: string, value: string): Promise<void> {
    const large = Buffer.byteLength(value) > standardBytesMax;
    const input = { Name: name, Value: value, ...(large ? { Tier: "Advanced" as const } : {}) };
    try {
      // Without a type an existing parameter keeps its own; only a new one needs it.
      await this.client
        .send(new PutParameterCommand({ ...input, Overwrite: true }))
        .catch(async (error: unknown) => {
          if (awsFailure(error).name !== "ValidationException") throw error;
          await this.client.send(new PutParameterCommand({ ...input, Type: "String", Overwrite: true }));
        });
    } catch (error) {
      throw awsError(error, {
        what: `write SSM parameter ${name} (${Buffer.byteLength(value)} bytes)`,
        expected: "the new value stored",
        wayOut: "check the parameter's name, and that the value has at most 8 KB",
      });
    }
  }
}

/** Parameter Store of a region. */
export function createParameters(settings: ClientSettings = {}): Parameters {
  return new AwsParameters(settings);
}
