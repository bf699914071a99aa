import type { Context } from "../../resource.ts";
import { text, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";
import { readTags, tagChanges } from "../tags.ts";
import { waitFor } from "../wait.ts";

export type Described = Readonly<Record<string, unknown>>;

/** One call of the DMS API, in the region of the object. */
export function dms(context: Context, values: Values, operation: string, input: object): Promise<Described> {
  return context.aws.json(
    "dms",
    `AmazonDMSv20160101.${operation}`,
    input,
    text(values.region) ?? context.region,
  );
}

export function isNotFound(error: unknown): boolean {
  return error instanceof AwsFailure && error.code === "ResourceNotFoundFault";
}

export interface Lookup {
  readonly operation: string;
  /** The list in the answer. */
  readonly list: string;
  readonly filter: string;
}

/** The one object a filter finds; undefined when there is none. */
export async function find(
  context: Context,
  values: Values,
  lookup: Lookup,
  id: string,
): Promise<Described | undefined> {
  const Filters = [{ Name: lookup.filter, Values: [id] }];
  try {
    const answer = await dms(context, values, lookup.operation, { Filters });
    return (answer[lookup.list] as Described[] | undefined)?.[0];
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Waits until the object has one of the statuses. */
export function waitForStatus(
  what: string,
  ask: () => Promise<Described | undefined>,
  field: string,
  wanted: readonly string[],
): Promise<Described> {
  return waitFor(`waiting for ${what} to be ${wanted.join(" or ")}`, async () => {
    const found = await ask();
    if (found === undefined) throw new Error(`${what} is gone`);
    return wanted.includes(String(found[field])) ? found : undefined;
  });
}

async function waitUntilGone(what: string, ask: () => Promise<Described | undefined>): Promise<void> {
  await waitFor(`waiting for ${what} to be deleted`, async () =>
    (await ask()) === undefined ? true : undefined,
  );
}

export async function dmsTags(context: Context, state: Values, arn: string): Promise<Values> {
  const answer = await dms(context, state, "ListTagsForResource", { ResourceArn: arn });
  const list = (answer.TagList ?? []) as { Key: string; Value: string }[];
  return readTags(Object.fromEntries(list.map(({ Key, Value }) => [Key, Value])), state, context);
}

export async function updateDmsTags(
  context: Context,
  prior: Values,
  planned: Values,
  arn: string,
): Promise<void> {
  const { add, remove } = tagChanges(prior, planned);
  if (remove.length > 0)
    await dms(context, prior, "RemoveTagsFromResource", { ResourceArn: arn, TagKeys: remove });
  if (add.length > 0) await dms(context, prior, "AddTagsToResource", { ResourceArn: arn, Tags: add });
}

/** Deletes and waits; an object that is gone already counts as deleted. */
export async function deleteAndWait(
  call: () => Promise<unknown>,
  what: string,
  ask: () => Promise<Described | undefined>,
): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  await waitUntilGone(what, ask);
}

const hyphenated = [
  {
    pattern: /^[A-Za-z][0-9A-Za-z-]+$/,
    says: "must start with a letter, only contain alphanumeric characters and hyphens",
  },
  { pattern: /^(?!.*--)/s, says: "must not contain consecutive hyphens" },
  { pattern: /[^-]$/, says: "must not end in a hyphen" },
];

/** What DMS takes as an identifier (internal/service/dms/validate.go of the provider). */
export function identifierPatterns(lengthMax: number): { pattern: RegExp; says: string }[] {
  return [
    {
      pattern: new RegExp(`^.{0,${lengthMax}}$`, "s"),
      says: `must not be longer than ${lengthMax} characters`,
    },
    ...hyphenated,
  ];
}

export const arnPattern = [{ pattern: /^arn:aws[\w-]*:[\w-]+:[\w-]*:\d*:.+/, says: "is an invalid ARN" }];
