import { createHash } from "node:crypto";
import type { RequestContext } from "../service.ts";
import type { ParameterVersion } from "./store.ts";

function arn({ region, account }: RequestContext, name: string): string {
  return `arn:aws:ssm:${region}:${account}:parameter/${name.replace(/^\//, "")}`;
}

/** What a SecureString shows without decryption: text that says nothing about the value. */
function ciphertext({ name, version, value }: ParameterVersion): string {
  return `AQICAH${createHash("sha512").update(`${name}\0${version}\0${value}`).digest("base64")}`;
}

export function described(
  parameter: ParameterVersion,
  context: RequestContext,
  decrypt: boolean,
  selector?: string,
): object {
  const hidden = parameter.type === "SecureString" && !decrypt;
  return {
    Name: parameter.name,
    Type: parameter.type,
    Value: hidden ? ciphertext(parameter) : parameter.value,
    Version: parameter.version,
    Selector: selector,
    LastModifiedDate: new Date(parameter.modified),
    ARN: arn(context, parameter.name),
    DataType: parameter.dataType,
  };
}

export function metadata(parameter: ParameterVersion, context: RequestContext): object {
  return {
    Name: parameter.name,
    ARN: arn(context, parameter.name),
    Type: parameter.type,
    KeyId: parameter.keyId ?? undefined,
    LastModifiedDate: new Date(parameter.modified),
    LastModifiedUser: parameter.user,
    Description: parameter.description ?? undefined,
    AllowedPattern: parameter.pattern ?? undefined,
    Version: parameter.version,
    Tier: parameter.tier,
    Policies: [],
    DataType: parameter.dataType,
  };
}
