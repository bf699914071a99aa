import type { Context } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";
import { readTags, tagChanges } from "../tags.ts";

export type Answer = Readonly<Record<string, unknown>>;

export function ssm(context: Context, values: Values, operation: string, input: object): Promise<Answer> {
  return context.aws.json("ssm", `AmazonSSM.${operation}`, input, text(values.region) ?? context.region);
}

/** The answer, undefined for the error that says the object isn't there. */
export async function unless(code: string, call: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof AwsFailure && error.code === code) return undefined;
    throw error;
  }
}

export async function ssmTags(
  context: Context,
  state: Values,
  ResourceType: string,
  id: string,
): Promise<Values> {
  const answer = await ssm(context, state, "ListTagsForResource", { ResourceType, ResourceId: id });
  const list = (answer.TagList ?? []) as { Key: string; Value: string }[];
  return readTags(Object.fromEntries(list.map(({ Key, Value }) => [Key, Value])), state, context);
}

export async function updateSsmTags(
  context: Context,
  prior: Values,
  planned: Values,
  ResourceType: string,
): Promise<void> {
  const { add, remove } = tagChanges(prior, planned);
  const resource = { ResourceType, ResourceId: prior.id };
  if (remove.length > 0)
    await ssm(context, prior, "RemoveTagsFromResource", { ...resource, TagKeys: remove });
  if (add.length > 0) await ssm(context, prior, "AddTagsToResource", { ...resource, Tags: add });
}
