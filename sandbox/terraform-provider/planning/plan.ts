import type { Path } from "../plugin/wire.ts";
import type { Rules } from "../resource.ts";
import {
  type Attribute,
  type Block,
  elements,
  isObject,
  isSet,
  isUnknown,
  type NestedBlock,
  sameValue,
  unknown,
  type Value,
  type Values,
} from "../values.ts";
import { pathOf, valueAt } from "./walk.ts";

export interface PlanInput {
  readonly block: Block;
  /** null when the object is to be created. */
  readonly prior: Values | null;
  /** Terraform's merge of configuration and prior state. */
  readonly proposed: Values;
  readonly config: Values;
  readonly rules: Rules | undefined;
}

export interface ObjectPlan {
  readonly planned: Values;
  readonly requiresReplace: readonly Path[];
}

/**
 * Plans by the schema, as terraform-plugin-sdk does: computed attributes that aren't configured are unknown on
 * creation and keep their prior value afterwards; write-only ones are null; arguments left out get their default.
 */
export function planObject({ block, prior, proposed, config, rules }: PlanInput): ObjectPlan {
  const planned = planBlock({ block, prior, proposed, config, rules, name: "" });
  if (prior === null) return { planned, requiresReplace: [] };
  const changed = (name: string) =>
    !sameValue(valueAt(prior, name), valueAt(planned, name), isUnordered(block, name));
  const conditional = (rules?.forceNewWhen ?? []).filter(({ when }) => when(planned)).map(({ name }) => name);
  const replacing = [...(rules?.forceNew ?? []), ...conditional];
  const recomputed = Object.entries(rules?.recomputed ?? {})
    .filter(([name, causes]) => (config[name] ?? null) === null && causes.some(changed))
    .map(([name]) => [name, unknown] as const);
  return {
    planned: { ...planned, ...Object.fromEntries(recomputed) },
    requiresReplace: replacing.filter(changed).map((name) => pathOf(block, name)),
  };
}

function isUnordered(block: Block, name: string): boolean {
  let inside: Block | undefined = block;
  for (const part of name.split(".")) {
    const attribute = inside?.attributes?.[part];
    if (attribute) return isSet(attribute.type);
    const nested: NestedBlock | undefined = inside?.block_types?.[part];
    if (nested?.nesting_mode === "set") return true;
    inside = nested?.block;
  }
  return false;
}

interface BlockInput extends Omit<PlanInput, "config"> {
  readonly config: Value;
  readonly name: string;
}

function planBlock({ block, prior, proposed, config, rules, name }: BlockInput): Values {
  const result: Record<string, Value> = {};
  const named = (part: string) => (name === "" ? part : `${name}.${part}`);
  const configured = (part: string): Value => (isObject(config) ? (config[part] ?? null) : config);
  for (const [part, attribute] of Object.entries(block.attributes ?? {})) {
    const before = prior?.[part] ?? null;
    const value = proposed[part] ?? null;
    result[part] = planAttribute(attribute, {
      name: named(part),
      before,
      value,
      configured: configured(part),
      isNew: prior === null,
      rules,
    });
  }
  for (const [part, nested] of Object.entries(block.block_types ?? {})) {
    result[part] = planNested(nested, {
      before: prior?.[part] ?? null,
      value: proposed[part] ?? null,
      configured: configured(part),
      plan: (item, before, itemConfig) =>
        planBlock({
          block: nested.block,
          prior: before,
          proposed: item,
          config: itemConfig,
          rules,
          name: named(part),
        }),
    });
  }
  return result;
}

interface AttributeInput {
  readonly name: string;
  readonly before: Value;
  readonly value: Value;
  readonly configured: Value;
  readonly isNew: boolean;
  readonly rules: Rules | undefined;
}

function planAttribute(attribute: Attribute, input: AttributeInput): Value {
  const { name, before, value, configured, isNew, rules } = input;
  if (attribute.write_only) return null;
  if (configured === null) {
    const usual = rules?.defaults?.[name];
    if (usual !== undefined) return usual;
    return attribute.computed && isNew ? unknown : value;
  }
  return isSame(name, before, value, rules) ? before : value;
}

/** Text that says the same in another way stays as the state has it: no change is shown. */
function isSame(name: string, before: Value, value: Value, rules: Rules | undefined): boolean {
  if (typeof before !== "string" || typeof value !== "string") return false;
  const same = rules?.sameAs?.[name];
  if (same) return same(before, value);
  if (!rules?.json?.includes(name)) return false;
  try {
    return sameValue(JSON.parse(before) as Value, JSON.parse(value) as Value);
  } catch {
    return false;
  }
}

interface NestedInput {
  readonly before: Value;
  readonly value: Value;
  readonly configured: Value;
  readonly plan: (item: Values, before: Values | null, config: Value) => Values;
}

function planNested(nested: NestedBlock, { before, value, configured, plan }: NestedInput): Value {
  if (isUnknown(value) || value === null) return value;
  if (nested.nesting_mode === "single")
    return isObject(value) ? plan(value, isObject(before) ? before : null, configured) : value;
  if (nested.nesting_mode === "map") {
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => {
        const earlier = isObject(before) ? before[key] : undefined;
        const itemConfig = isObject(configured) ? (configured[key] ?? null) : null;
        return [key, isObject(item) ? plan(item, isObject(earlier) ? earlier : null, itemConfig) : item];
      }),
    );
  }
  const priors = elements(before);
  return elements(value).map((item, index) => {
    if (!isObject(item)) return item;
    // Elements of a set have no position: one that was there is recognised by its value.
    const earlier =
      nested.nesting_mode === "set" ? priors.find((each) => sameValue(each, item)) : priors[index];
    return plan(item, isObject(earlier) ? earlier : null, elements(configured)[index] ?? item);
  });
}

/** The state after an apply: what was planned, and what the apply learned where the plan left it open. */
export function fillUnknown(planned: Value, learned: Value | undefined): Value {
  if (isUnknown(planned)) return learned === undefined || isUnknown(learned) ? null : learned;
  if (Array.isArray(planned)) {
    const known = elements(learned);
    return (planned as readonly Value[]).map((item, index) => fillUnknown(item, known[index]));
  }
  if (!isObject(planned)) return planned;
  const known = isObject(learned) ? learned : {};
  return Object.fromEntries(
    Object.entries(planned).map(([name, value]) => [name, fillUnknown(value, known[name])]),
  );
}
