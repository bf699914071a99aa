import { type Endpoint, moto, standIn } from "./endpoint.ts";
import { notificationsContract } from "./notifications.contract.ts";

/** moto wants a function's role to be there. Its IAM takes any signature that names the service. */
async function withRole(opening: Promise<Endpoint>): Promise<Endpoint> {
  const endpoint = await opening;
  const trust = { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" };
  const answer = await fetch(endpoint.url, {
    method: "POST",
    headers: { authorization: "AWS4-HMAC-SHA256 Credential=testing/20261121/us-east-1/iam/aws4_request" },
    body: new URLSearchParams({
      Action: "CreateRole",
      Version: "2010-05-08",
      RoleName: "lambda",
      AssumeRolePolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [trust] }),
    }),
  });
  if (!answer.ok) throw new Error(`moto's CreateRole: ${answer.status} ${await answer.text()}`);
  return endpoint;
}

notificationsContract(standIn);
const judge = moto({
  "a statement's id is taken once": "moto keeps both",
  "a bucket's notification to a function that doesn't let it is refused": "moto looks at no policy",
});
notificationsContract({ ...judge, open: () => withRole(judge.open()) });
