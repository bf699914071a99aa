import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import { strToU8, zipSync } from "fflate";
import type { ContractSubject } from "./endpoint.ts";
import { contractSuite, errorName } from "./suite.ts";

const handler = zipSync({ "index.mjs": strToU8("export const handler = async () => null;") });

async function made() {
  const [functions, buckets] = [new lambda.LambdaClient({}), new s3.S3Client({ forcePathStyle: true })];
  const name = `told-${randomBytes(5).toString("hex")}`;
  await buckets.send(new s3.CreateBucketCommand({ Bucket: name }));
  const { FunctionArn: arn } = await functions.send(
    new lambda.CreateFunctionCommand({
      FunctionName: name,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: "arn:aws:iam::123456789012:role/lambda",
      Code: { ZipFile: handler },
    }),
  );
  const permit = () =>
    functions.send(
      new lambda.AddPermissionCommand({
        FunctionName: name,
        StatementId: "bucket",
        Action: "lambda:InvokeFunction",
        Principal: "s3.amazonaws.com",
        SourceAccount: "123456789012",
        SourceArn: `arn:aws:s3:::${name}`,
      }),
    );
  return { functions, buckets, name, arn: arn!, permit };
}

/** What Terraform relies on to have a bucket call a function, and to have its failures told. */
export function notificationsContract(subject: ContractSubject): void {
  contractSuite("notifications", subject, (scenario) => {
    scenario("a function's policy says who may call it, statement by statement", async () => {
      const { functions, name, arn, permit } = await made();
      const policy = () => functions.send(new lambda.GetPolicyCommand({ FunctionName: name }));
      expect(await errorName(policy())).toBe("ResourceNotFoundException");
      await permit();
      const { Statement } = JSON.parse((await policy()).Policy!) as { Statement: object[] };
      expect(Statement).toEqual([
        {
          Sid: "bucket",
          Effect: "Allow",
          Principal: { Service: "s3.amazonaws.com" },
          Action: "lambda:InvokeFunction",
          Resource: arn,
          Condition: {
            StringEquals: { "AWS:SourceAccount": "123456789012" },
            ArnLike: { "AWS:SourceArn": `arn:aws:s3:::${name}` },
          },
        },
      ]);
      await functions.send(new lambda.RemovePermissionCommand({ FunctionName: name, StatementId: "bucket" }));
      expect(await errorName(policy())).toBe("ResourceNotFoundException");
    });

    scenario("a statement's id is taken once", async () => {
      const { permit } = await made();
      await permit();
      expect(await errorName(permit())).toBe("ResourceConflictException");
    });

    scenario("a bucket's notification is given back as it was put, and none is an empty one", async () => {
      const { buckets, name, arn, permit } = await made();
      await permit();
      const LambdaFunctionConfigurations: s3.LambdaFunctionConfiguration[] = [
        {
          Id: "phase",
          LambdaFunctionArn: arn,
          Events: ["s3:ObjectCreated:*"],
          Filter: {
            Key: {
              FilterRules: [
                { Name: "prefix", Value: "failback/current.json" },
                { Name: "suffix", Value: "failback/current.json" },
              ],
            },
          },
        },
      ];
      const put = (NotificationConfiguration: s3.NotificationConfiguration) =>
        buckets.send(
          new s3.PutBucketNotificationConfigurationCommand({ Bucket: name, NotificationConfiguration }),
        );
      const got = async () =>
        (await buckets.send(new s3.GetBucketNotificationConfigurationCommand({ Bucket: name })))
          .LambdaFunctionConfigurations;
      expect(await got()).toBeUndefined();
      await put({ LambdaFunctionConfigurations });
      expect(await got()).toEqual(LambdaFunctionConfigurations);
      await put({});
      expect(await got()).toBeUndefined();
    });

    scenario("a bucket's notification to a function that doesn't let it is refused", async () => {
      const { buckets, name, arn } = await made();
      const NotificationConfiguration = {
        LambdaFunctionConfigurations: [{ LambdaFunctionArn: arn, Events: ["s3:ObjectCreated:*" as const] }],
      };
      const put = buckets.send(
        new s3.PutBucketNotificationConfigurationCommand({ Bucket: name, NotificationConfiguration }),
      );
      expect(await errorName(put)).toBe("InvalidArgument");
    });

    scenario(
      "how calls nobody waits for are repeated, and where their failures go, is kept and forgotten",
      async () => {
        const { functions, name } = await made();
        const topic = "arn:aws:sns:us-east-1:123456789012:alarms";
        const get = () =>
          functions.send(new lambda.GetFunctionEventInvokeConfigCommand({ FunctionName: name }));
        expect(await errorName(get())).toBe("ResourceNotFoundException");
        await functions.send(
          new lambda.PutFunctionEventInvokeConfigCommand({
            FunctionName: name,
            MaximumRetryAttempts: 2,
            MaximumEventAgeInSeconds: 3600,
            DestinationConfig: { OnFailure: { Destination: topic } },
          }),
        );
        const found = await get();
        expect(found).toMatchObject({
          MaximumRetryAttempts: 2,
          MaximumEventAgeInSeconds: 3600,
          DestinationConfig: { OnFailure: { Destination: topic } },
        });
        await functions.send(new lambda.DeleteFunctionEventInvokeConfigCommand({ FunctionName: name }));
        expect(await errorName(get())).toBe("ResourceNotFoundException");
      },
    );
  });
}
