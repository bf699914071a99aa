import type { StateObject } from "./state.ts";

/** Tags all of them have, those of the old provider's default_tags with them. */
export function commonTags(objects: readonly StateObject[]): Record<string, string> {
  const [first = {}, ...rest] = objects.map(tagsOf);
  return Object.fromEntries(
    Object.entries(first).filter(([key, value]) => rest.every((each) => each[key] === value)),
  );
}

/** An object's tags, those of the old provider's default_tags with them. */
export function tagsOf(object: StateObject): Record<string, string> {
  const found = object.value("tags_all") ?? object.value("tags") ?? {};
  return Object.fromEntries(
    Object.entries(found as Record<string, unknown>).filter(
      (pair): pair is [string, string] => typeof pair[1] === "string",
    ),
  );
}
