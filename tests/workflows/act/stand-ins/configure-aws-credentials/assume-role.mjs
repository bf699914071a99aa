import { appendFileSync, readFileSync } from "node:fs";

const { ROLE = "", REGION = "", MASK_ACCOUNT, GITHUB_ENV, GITHUB_ACTION_PATH } = process.env;
const [, account, name] = /^arn:aws:iam::(\d{12}):role\/([\w+=,.@-]+)$/.exec(ROLE) ?? [];
if (!name || !REGION) {
  console.log(`::error::Could not load credentials: expected a role's ARN and a region, got "${ROLE}", "${REGION}"`);
  process.exit(1);
}
const [, aws] = /^AWS=(.*)$/m.exec(readFileSync(`${GITHUB_ACTION_PATH}/sandbox.env`, "utf8"));
const answer = await fetch(`${aws}/_sandbox/credentials/role/${name}`);
const keys = await answer.json();
if (MASK_ACCOUNT === "true") console.log(`::add-mask::${account}`);
for (const secret of [keys.AccessKeyId, keys.SecretAccessKey, keys.Token]) console.log(`::add-mask::${secret}`);
const variables = {
  AWS_REGION: REGION,
  AWS_DEFAULT_REGION: REGION,
  AWS_ACCESS_KEY_ID: keys.AccessKeyId,
  AWS_SECRET_ACCESS_KEY: keys.SecretAccessKey,
  AWS_SESSION_TOKEN: keys.Token,
  // The one thing the real action doesn't do: AWS is here.
  AWS_ENDPOINT_URL: aws,
};
for (const [variable, value] of Object.entries(variables)) appendFileSync(GITHUB_ENV, `${variable}=${value}\n`);
console.log(`Authenticated as ${name}`);
