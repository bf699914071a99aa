/** Collations: order and equality of strings by the rules of a language. */
import { type Collator, compareStrings } from "./compare.ts";
import { ServerError } from "./errors.ts";
import { fromObject, toObject } from "./plain-object.ts";
import type { Document } from "./value.ts";

interface CollationOptions {
  locale: string;
  strength?: number;
  caseLevel?: boolean;
  caseFirst?: string;
  numericOrdering?: boolean;
  alternate?: string;
  maxVariable?: string;
  normalization?: boolean;
  backwards?: boolean;
  version?: string;
}

const fields: Record<string, string> = {
  locale: "string",
  strength: "number",
  caseLevel: "boolean",
  caseFirst: "string",
  numericOrdering: "boolean",
  alternate: "string",
  maxVariable: "string",
  normalization: "boolean",
  backwards: "boolean",
  version: "string",
};
const allowed: Record<string, (string | number)[]> = {
  caseFirst: ["upper", "lower", "off"],
  alternate: ["non-ignorable", "shifted"],
  maxVariable: ["punct", "space"],
  strength: [1, 2, 3, 4, 5],
};

function readOptions(specification: Document): CollationOptions {
  const options = toObject(specification);
  for (const [name, value] of Object.entries(options)) {
    const type = fields[name];
    if (type === undefined) {
      throw new ServerError(40415, `BSON field 'collation.${name}' is an unknown field.`);
    }
    if (typeof value !== type) {
      throw new ServerError(
        "TypeMismatch",
        `BSON field 'collation.${name}' is the wrong type '${typeof value}', expected type '${type}'`,
      );
    }
    if (allowed[name] !== undefined && !allowed[name].includes(value as string)) {
      throw new ServerError(
        "BadValue",
        `Enumeration value '${value}' for field 'collation.${name}' is not a valid value.`,
      );
    }
  }
  if (options.locale === undefined) {
    throw new ServerError(40414, "BSON field 'collation.locale' is missing but a required field");
  }
  return options as unknown as CollationOptions;
}

function intlLocale(locale: string): string {
  const [base, keywords] = locale.split("@");
  const tag = base!.replaceAll("_", "-");
  const variant = /collation=(\w+)/.exec(keywords ?? "")?.[1];
  return variant === undefined ? tag : `${tag}-u-co-${variant === "phonebook" ? "phonebk" : variant}`;
}

/** Sensitivities of `Intl.Collator`; it knows neither strengths 4 and 5 nor punctuation at them. */
function sensitivityOf({
  strength = 3,
  caseLevel = false,
}: CollationOptions): "base" | "accent" | "case" | "variant" {
  if (strength === 1) return caseLevel ? "case" : "base";
  if (strength === 2 && !caseLevel) return "accent";
  return "variant";
}

const cache = new Map<string, Collator>();

/**
 * Makes the collator for a collation document; undefined for none and for `{locale: "simple"}`, which is the
 * binary order.
 * @throws ServerError BadValue for an unknown locale or option value, 40414/40415 for missing/unknown fields
 */
export function compileCollation(specification: Document | undefined): Collator | undefined {
  if (specification === undefined || specification.size === 0) return undefined;
  const options = readOptions(specification);
  if (options.locale === "simple") return undefined;
  const key = JSON.stringify(options);
  let collator = cache.get(key);
  if (collator === undefined) {
    collator = makeCollator(options);
    if (cache.size < 100) cache.set(key, collator);
  }
  return collator;
}

function makeCollator(options: CollationOptions): Collator {
  const locale = intlLocale(options.locale);
  let known: string[] = [];
  try {
    known = Intl.Collator.supportedLocalesOf([locale]);
  } catch {
    // An ill-formed tag is as unknown as one without data.
  }
  if (known.length === 0) {
    throw new ServerError("BadValue", `Field 'locale' is invalid in: { locale: "${options.locale}" }`);
  }
  const { compare } = new Intl.Collator(locale, {
    sensitivity: sensitivityOf(options),
    numeric: options.numericOrdering ?? false,
    caseFirst: options.caseFirst === "upper" || options.caseFirst === "lower" ? options.caseFirst : "false",
    ignorePunctuation: options.alternate === "shifted",
  });
  if (options.strength !== 5) return { compare };
  return { compare: (a, b) => compare(a, b) || compareStrings(a, b) };
}

/** The collation with every default filled in, as a server stores it in a collection or index. */
export function completeCollation(specification: Document): Document {
  const { locale, ...given } = readOptions(specification);
  if (locale === "simple") return new Map([["locale", "simple"]]);
  compileCollation(specification);
  return completeWith(locale, given);
}

function completeWith(locale: string, given: Partial<CollationOptions>): Document {
  return fromObject({
    locale,
    caseLevel: given.caseLevel ?? false,
    caseFirst: given.caseFirst ?? "off",
    strength: given.strength ?? 3,
    numericOrdering: given.numericOrdering ?? false,
    alternate: given.alternate ?? "non-ignorable",
    maxVariable: given.maxVariable ?? "punct",
    normalization: given.normalization ?? false,
    backwards: given.backwards ?? locale === "fr_CA",
    version: "57.1",
  });
}
