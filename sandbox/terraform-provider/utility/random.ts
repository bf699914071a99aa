/** hashicorp/random: every argument replaces the object, nothing is ever read again. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import type { EphemeralResource } from "../provider.ts";
import type { Resource } from "../resource.ts";
import { type Attribute, elements, type Values } from "../values.ts";
import { randomText, shuffled } from "./text.ts";

const source = "github.com/hashicorp/terraform-provider-random internal/provider";
const textRules = {
  source,
  forceNew: [
    ...["keepers", "length", "lower", "upper", "numeric", "number", "special", "override_special"],
    ...["min_lower", "min_upper", "min_numeric", "min_special"],
  ],
  defaults: {
    lower: true,
    upper: true,
    numeric: true,
    number: true,
    special: true,
    min_lower: 0,
    min_upper: 0,
    min_numeric: 0,
    min_special: 0,
  },
};

function made(
  forceNew: readonly string[],
  make: (planned: Values) => Values,
  defaults: Values = {},
): Resource {
  return { rules: { source, forceNew, defaults }, create: async ({ planned }) => make(planned) };
}

function bytesOf(planned: Values): Values {
  const bytes = randomBytes(Number(planned.byte_length));
  const prefix = planned.prefix ? String(planned.prefix) : "";
  return {
    id: bytes.toString("base64url"),
    b64_url: prefix + bytes.toString("base64url"),
    b64_std: prefix + bytes.toString("base64"),
    hex: prefix + bytes.toString("hex"),
    dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
  };
}

const words = ["able", "brave", "calm", "eager", "fair", "keen", "lucky", "noble", "quick", "wise"];

export const randomResources: Readonly<Record<string, Resource>> = {
  random_bytes: made(["keepers", "length"], ({ length }) => {
    const bytes = randomBytes(Number(length));
    return { base64: bytes.toString("base64"), hex: bytes.toString("hex") };
  }),
  random_id: made(["keepers", "byte_length", "prefix"], bytesOf),
  random_integer: made(["keepers", "min", "max", "seed"], ({ min, max }) => {
    const result = randomInt(Number(min), Number(max) + 1);
    return { id: String(result), result };
  }),
  random_password: {
    rules: textRules,
    create: async ({ planned }) => {
      const result = randomText(planned);
      return {
        id: "none",
        result,
        bcrypt_hash: Bun.password.hashSync(result.slice(0, 72), { algorithm: "bcrypt", cost: 4 }),
      };
    },
  },
  random_pet: made(
    ["keepers", "length", "prefix", "separator"],
    ({ length, prefix, separator }) => {
      const parts = Array.from({ length: Number(length) }, () => words[randomInt(words.length)]!);
      return { id: [...(prefix ? [String(prefix)] : []), ...parts].join(String(separator)) };
    },
    { length: 2, separator: "-" },
  ),
  random_shuffle: made(["keepers", "input", "result_count", "seed"], ({ input, result_count: count }) => ({
    id: "-",
    result: shuffled(elements(input)).slice(0, count === null ? undefined : Number(count)),
  })),
  random_string: {
    rules: textRules,
    create: async ({ planned }) => {
      const result = randomText(planned);
      return { id: result, result };
    },
  },
  random_uuid: made(["keepers"], () => {
    const result = randomUUID();
    return { id: result, result };
  }),
};

const optional = (type: string): Attribute => ({ type, optional: true, computed: true });

/** ephemeral "random_password", since 3.7 (the registry's documentation; it is not in the schemas beside this). */
export const randomEphemeralResources: Readonly<Record<string, EphemeralResource>> = {
  random_password: {
    schema: {
      version: 0,
      block: {
        attributes: {
          length: { type: "number", required: true },
          override_special: { type: "string", optional: true },
          bcrypt_hash: { type: "string", computed: true, sensitive: true },
          result: { type: "string", computed: true, sensitive: true },
          ...Object.fromEntries(
            ["lower", "upper", "numeric", "special"].map((name) => [name, optional("bool")]),
          ),
          ...Object.fromEntries(
            ["min_lower", "min_upper", "min_numeric", "min_special"].map((name) => [
              name,
              optional("number"),
            ]),
          ),
        },
      },
    },
    async open(config) {
      const result = randomText(config);
      return {
        result,
        bcrypt_hash: Bun.password.hashSync(result.slice(0, 72), { algorithm: "bcrypt", cost: 4 }),
      };
    },
  },
};
