/** Types of services the AWS stand-in doesn't play: their objects are kept there, and drift and deletion are seen. */
import { randomBytes } from "node:crypto";
import type { Context, Resource, Rules } from "../../resource.ts";
import { isSet, isUnknown, text, type Value, type Values } from "../../values.ts";
import { AwsFailure } from "../client.ts";

/** What identifiers are made of. */
export interface Made {
  readonly region: string;
  readonly account: string;
  /** Letters and digits, new with every call. */
  random(length?: number): string;
  /** The configured name, or one from the prefix. */
  name(values: Values, attribute?: string, prefix?: string): string;
}

export interface StoredType {
  readonly rules?: Rules;
  id(values: Values, made: Made): string;
  /** Attributes that AWS would give; what is left out is empty. Configured ones win. */
  computed?(values: Values, id: string, made: Made): Values;
  /** Why it can't be deleted; undefined when it can. */
  keep?(state: Values): string | undefined;
  /** AWS gives it an identifier of its own, and still refuses a second one that is the same in this. */
  readonly only?: (values: Values) => Unique | undefined;
  /** AWS's call for it replaces what is there, so that it can be made twice. */
  readonly isPut?: boolean;
  /** Objects that AWS makes with it, in the same call. */
  along?(id: string, made: Made): readonly StoredObject[];
  /** Objects that go with it: those of a type in which an attribute is its id. */
  readonly owns?: readonly { readonly type: string; readonly by: string }[];
  /** Calls of the provider that follow on its creation. */
  finish?(id: string, context: Context): Promise<void>;
}

interface StoredObject {
  readonly TypeName: string;
  readonly ObjectId: string;
  readonly Attributes: Values;
}

interface Unique {
  /** The arguments in which no two are the same. */
  readonly by: readonly string[];
  /** What AWS answers. */
  readonly code: string;
  readonly says: string;
}

function isNotFound(error: unknown): boolean {
  return error instanceof AwsFailure && error.code === "ResourceNotFoundException";
}

async function call(
  context: Context,
  operation: string,
  ObjectId: Value | undefined,
  Attributes?: Values,
  more: object = {},
): Promise<Values> {
  const answer = await context.aws.json(
    "stored-objects",
    `StoredObjects.${operation}`,
    { TypeName: context.type, ObjectId, Attributes, ...more },
    context.region,
  );
  return (answer.Attributes ?? {}) as Values;
}

async function madeIn(context: Context): Promise<Made> {
  const { Account } = await context.aws.identity(context.region);
  const random = (length = 17) => randomBytes(length).toString("hex").slice(0, length);
  return {
    region: context.region,
    account: Account,
    random,
    name: (values, attribute = "name", prefix = `${attribute}_prefix`) =>
      text(values[attribute]) ?? `${text(values[prefix]) ?? "terraform-"}${random(26)}`,
  };
}

/** What AWS answers for something it has nothing of. */
function emptyOf(context: Context, name: string): Value {
  const type = context.block.attributes?.[name]?.type ?? "string";
  if (Array.isArray(type)) return type[0] === "list" || isSet(type) ? [] : type[0] === "map" ? {} : null;
  return type === "string" ? "" : null;
}

/** Every argument with its value, unknown ones left out: what an object is stored with. */
function known(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== null && !isUnknown(value)),
  );
}

export function stored({ rules, id, computed, keep, only, isPut = false, ...more }: StoredType): Resource {
  return {
    ...(rules ? { rules } : {}),
    finish: async (state, context) => more.finish?.(String(state.id), context),
    async create({ planned }, context) {
      const made = await madeIn(context);
      const own = id(planned, made);
      const open = Object.entries(planned).filter(([, value]) => isUnknown(value));
      const empty = Object.fromEntries(open.map(([name]) => [name, emptyOf(context, name)]));
      const attributes = { ...empty, id: own, ...computed?.(planned, own, made), ...known(planned) };
      await call(context, "CreateObject", own, attributes, {
        Unique: only?.(attributes),
        Replace: isPut,
        Along: more.along?.(own, made),
      });
      return attributes;
    },
    async read(state, context) {
      try {
        return await call(context, "GetObject", state.id);
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },
    async update({ planned }, context) {
      await call(context, "UpdateObject", planned.id, planned);
      return undefined;
    },
    async delete(state, context) {
      const reason = keep?.(state);
      if (reason !== undefined) throw new Error(reason);
      try {
        await call(context, "DeleteObject", state.id, undefined, { Owned: more.owns });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
    },
  };
}
