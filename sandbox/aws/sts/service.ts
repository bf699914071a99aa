import type { Identities } from "../identity.ts";
import { AwsError, type QueryService, type RequestContext, type Service } from "../service.ts";

const durationSecondsDefault = 3600;

function assumeRole(
  identities: Identities,
  input: Readonly<Record<string, string>>,
  { now }: RequestContext,
): object {
  const { RoleArn: roleArn, RoleSessionName: name } = input;
  if (roleArn === undefined || name === undefined || !/^[\w+=,.@-]{2,64}$/.test(name)) {
    throw new AwsError(
      "ValidationError",
      "expected RoleArn and a RoleSessionName of 2-64 characters [\\w+=,.@-]",
    );
  }
  const seconds = Number(input.DurationSeconds ?? durationSecondsDefault);
  if (!(seconds >= 900 && seconds <= 43_200)) {
    throw new AwsError(
      "ValidationError",
      `expected DurationSeconds between 900 and 43200, got ${input.DurationSeconds}`,
    );
  }
  const expires = now().getTime() + seconds * 1000;
  const session = identities.createSession(roleArn, name, expires);
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(expires),
    },
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    PackedPolicySize: 0,
  };
}

/** STS: who a key belongs to, and temporary keys of a role. */
export function create(identities: Identities): Service[] {
  const service: QueryService = {
    kind: "query",
    name: "sts",
    namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    style: "query",
    operations: {
      GetCallerIdentity: (_input, { accessKeyId, account }) => {
        const credential = identities.find(accessKeyId);
        if (credential === undefined) throw new AwsError("InvalidClientTokenId", "unknown access key", 403);
        return { Arn: credential.arn, UserId: credential.userId, Account: account };
      },
      AssumeRole: (input, context) => assumeRole(identities, input, context),
      AssumeRoleWithWebIdentity: (input, context) => assumeRole(identities, input, context),
    },
  };
  return [service];
}
