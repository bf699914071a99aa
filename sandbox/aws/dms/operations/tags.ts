import { type Input, text } from "../input.ts";
import type { Dms } from "../service.ts";

interface Tag {
  readonly Key: string;
  readonly Value?: string;
}

/** Adds the request's `Tags` to those of a resource. */
export function saveTags(dms: Dms, arn: string, input: Input): void {
  const tags = (input.Tags ?? []) as readonly Tag[];
  if (tags.length === 0) return;
  const added = Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value ?? ""]));
  dms.store.put("tags", arn, { ...dms.store.get("tags", arn), ...added });
}

function addTagsToResource(dms: Dms, input: Input): object {
  saveTags(dms, text(input, "ResourceArn"), input);
  return {};
}

function removeTagsFromResource(dms: Dms, input: Input): object {
  const arn = text(input, "ResourceArn");
  const tags = { ...dms.store.get("tags", arn) };
  for (const key of (input.TagKeys ?? []) as string[]) delete tags[key];
  dms.store.put("tags", arn, tags);
  return {};
}

function listTagsForResource(dms: Dms, input: Input): object {
  const arns = [input.ResourceArn, ...((input.ResourceArnList ?? []) as unknown[])].filter(
    (arn) => typeof arn === "string",
  );
  const TagList = arns.flatMap((arn) =>
    Object.entries(dms.store.get("tags", arn) ?? {}).map(([Key, Value]) => ({
      Key,
      Value,
      ResourceArn: arn,
    })),
  );
  return { TagList };
}

export const tagOperations = {
  AddTagsToResource: addTagsToResource,
  RemoveTagsFromResource: removeTagsFromResource,
  ListTagsForResource: listTagsForResource,
};
