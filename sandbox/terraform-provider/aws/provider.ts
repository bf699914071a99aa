/** hashicorp/aws over the AWS stand-in. */
import { type Provider, readSchemas, type Setup } from "../provider.ts";
import { elements, isObject, text, type Values } from "../values.ts";
import { AwsClient } from "./client.ts";
import { credentialsOf } from "./credentials.ts";
import { dataSources } from "./data-sources.ts";
import { resources } from "./resources.ts";
import { secretVersionEphemeral } from "./secrets/data.ts";
import { plannedTags } from "./tags.ts";

function defaultTags(config: Values): Readonly<Record<string, string>> {
  const [block] = elements(config.default_tags);
  const tags = isObject(block) ? block.tags : null;
  if (!isObject(tags)) return {};
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, text(value) ?? ""]));
}

function configure(config: Values): Setup {
  const endpoint = process.env.AWS_ENDPOINT_URL;
  // Without it this provider would have to guess, and a guess could be the real AWS.
  if (!endpoint)
    throw new Error(
      "expected AWS_ENDPOINT_URL to name the AWS stand-in: this provider talks to nothing else",
    );
  const region = text(config.region) ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION;
  if (!region)
    throw new Error('invalid AWS Region: set "region" of the provider, AWS_REGION or AWS_DEFAULT_REGION');
  const aws = new AwsClient(endpoint.replace(/\/$/, ""), credentialsOf(config));
  return { aws, region, defaultTags: defaultTags(config) };
}

export function awsProvider(): Provider {
  return {
    schemas: readSchemas("aws"),
    resource: (type) => resources[type],
    dataSource: (type) => dataSources[type],
    ephemeralResources: { aws_secretsmanager_secret_version: secretVersionEphemeral },
    configure,
    common: (planned, setup) => ({
      region: setup.region,
      tags_all: plannedTags(planned.tags ?? null, setup.defaultTags),
    }),
    commonForceNew: ["region"],
  };
}
