import type { Context } from "../resource.ts";
import { isObject, text, type Value, type Values } from "../values.ts";

/** What an object carries: the provider's default tags and its own. */
export function allTags(values: Values): Readonly<Record<string, string>> {
  const tags = values.tags_all;
  return isObject(tags)
    ? Object.fromEntries(Object.entries(tags).map(([name, value]) => [name, text(value) ?? ""]))
    : {};
}

/** Tags as AWS lists them, for `Tags` of a request. */
export function tagList(values: Values): { Key: string; Value: string }[] {
  return Object.entries(allTags(values)).map(([Key, Value]) => ({ Key, Value }));
}

/** `tags` and `tags_all` of a state, from what the object carries. Default tags belong to `tags_all` alone. */
export function readTags(
  found: Readonly<Record<string, string>>,
  state: Values,
  { defaultTags }: Context,
): Values {
  const own = Object.fromEntries(
    Object.entries(found).filter(
      ([name, value]) =>
        defaultTags[name] !== value || (isObject(state.tags) && Object.hasOwn(state.tags, name)),
    ),
  );
  const isEmpty = Object.keys(own).length === 0;
  return { tags: isEmpty && !isObject(state.tags) ? null : own, tags_all: { ...found } };
}

/** Which tags an update adds or changes, and which it removes. */
export function tagChanges(
  prior: Values,
  planned: Values,
): { add: { Key: string; Value: string }[]; remove: string[] } {
  const before = allTags(prior);
  const after = allTags(planned);
  return {
    add: Object.entries(after)
      .filter(([name, value]) => before[name] !== value)
      .map(([Key, Value]) => ({ Key, Value })),
    remove: Object.keys(before).filter((name) => !Object.hasOwn(after, name)),
  };
}

/** `tags_all` as it will be: the provider's default tags under the object's own. */
export function plannedTags(tags: Value, defaultTags: Readonly<Record<string, string>>): Value {
  if (tags !== null && !isObject(tags)) return tags;
  return { ...defaultTags, ...(tags ?? {}) };
}
