import { toNumber } from "../../arithmetic.ts";
import { compareStrings } from "../../compare.ts";
import { describeValue } from "../../describe.ts";
import { ServerError } from "../../errors.ts";
import { toJavaScriptRegExp } from "../../match/regex.ts";
import {
  type BSONRegExp,
  BsonType,
  type Code,
  DateTime,
  type Document,
  Int32,
  isNumber,
  type Timestamp,
  typeOf,
  type Value,
} from "../../value.ts";
import {
  binary,
  compileExpression,
  type Expression,
  type ExpressionContext,
  isNullish,
  namedArguments,
  type OperatorCompiler,
  typeNameOf,
  unary,
  variadic,
} from "../expression.ts";
import { searchRange } from "./array-operands.ts";
import { isoString } from "./date-parts.ts";

/** A value as text where an operator takes more than strings (numbers, dates); "" for null. */
function textOf(value: Value | undefined): string {
  if (isNullish(value)) return "";
  if (typeof value === "string") return value;
  if (isNumber(value)) return value._bsontype === "Double" ? String(value.value) : value.toString();
  if (value instanceof DateTime) return isoString(value);
  switch (typeOf(value)) {
    case BsonType.Timestamp:
      return describeValue(value as Timestamp);
    case BsonType.Code:
      return (value as Code).code;
    case BsonType.Symbol:
      return String((value as { value: string }).value);
    default:
      throw new ServerError(16007, `can't convert from BSON type ${typeNameOf(value)} to String`);
  }
}

function concat(values: (Value | undefined)[]): Value | null {
  let result = "";
  for (const value of values) {
    if (isNullish(value)) return null;
    if (typeof value !== "string")
      throw new ServerError(16702, `$concat only supports strings, not ${typeNameOf(value)}`);
    result += value;
  }
  return result;
}

function requireString(value: Value | undefined, message: string, code: number): string {
  if (typeof value === "string") return value;
  throw new ServerError(code, `${message}${typeNameOf(value)}`);
}

function substringBytes(values: (Value | undefined)[], name: string): Value {
  const [value, start, length] = values;
  if (!isNumber(start))
    throw new ServerError(
      16034,
      `${name}:  starting index must be a numeric type (is BSON type ${typeNameOf(start)})`,
    );
  if (!isNumber(length))
    throw new ServerError(
      16035,
      `${name}:  length must be a numeric type (is BSON type ${typeNameOf(length)})`,
    );
  const bytes = Buffer.from(textOf(value));
  const from = Math.trunc(toNumber(start));
  const count = Math.trunc(toNumber(length));
  if (from < 0) throw new ServerError(50752, `${name}:  starting index must be non-negative (got: ${from})`);
  const continues = (at: number): boolean => at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
  if (continues(from))
    throw new ServerError(28656, `${name}:  Invalid range, starting index is a UTF-8 continuation byte.`);
  const end = count < 0 ? bytes.length : Math.min(bytes.length, from + count);
  if (continues(end))
    throw new ServerError(
      28657,
      `${name}:  Invalid range, ending index is in the middle of a UTF-8 character.`,
    );
  return bytes.toString("utf8", from, Math.max(from, end));
}

function substringCodePoints(values: (Value | undefined)[], name: string): Value {
  const [value, start, length] = values;
  if (!isNumber(start))
    throw new ServerError(
      34450,
      `${name}: starting index must be a numeric type (is BSON type ${typeNameOf(start)})`,
    );
  if (!isNumber(length))
    throw new ServerError(
      34452,
      `${name}: length must be a numeric type (is BSON type ${typeNameOf(length)})`,
    );
  const [from, count] = [toNumber(start), toNumber(length)];
  if (!Number.isInteger(from))
    throw new ServerError(
      34451,
      `${name}: starting index cannot be represented as a 32-bit integral value: ${describeValue(start)}`,
    );
  if (!Number.isInteger(count))
    throw new ServerError(
      34453,
      `${name}: length cannot be represented as a 32-bit integral value: ${describeValue(length)}`,
    );
  if (from < 0) throw new ServerError(34455, `${name}: the starting index must be nonnegative integer.`);
  if (count < 0) throw new ServerError(34454, `${name}: length must be a nonnegative integer.`);
  return [...textOf(value)].slice(from, from + count).join("");
}

function indexOf(values: (Value | undefined)[], name: string): Value | null {
  const [text, wanted, start, end] = values;
  if (isNullish(text)) return null;
  const code = name === "$indexOfBytes" ? 40091 : 40093;
  const haystack = requireString(text, `${name} requires a string as the first argument, found: `, code);
  const needle = requireString(wanted, `${name} requires a string as the second argument, found: `, code + 1);
  if (name === "$indexOfBytes") {
    const bytes = Buffer.from(haystack);
    const [from, to] = searchRange(name, start, end, bytes.length);
    const found =
      from > bytes.length || to < from ? -1 : bytes.subarray(0, to).indexOf(Buffer.from(needle), from);
    return new Int32(found);
  }
  const points = [...haystack];
  const [from, to] = searchRange(name, start, end, points.length);
  if (from > points.length || to < from) return new Int32(-1);
  const at = points.slice(from, to).join("").indexOf(needle);
  return new Int32(at < 0 ? -1 : from + [...points.slice(from, to).join("").slice(0, at)].length);
}

const whitespace = [
  ..."\0 \t\n\v\f\r\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a",
];

const trim =
  (left: boolean, right: boolean): OperatorCompiler =>
  (operand, context, name) => {
    const specification = namedArguments(name, operand, ["input", "chars"], { type: 50696, unknown: 50694 });
    const inputValue = specification.get("input");
    if (inputValue === undefined) throw new ServerError(50695, `${name} requires an 'input' field`);
    const input = compileExpression(inputValue, context);
    const charsValue = specification.get("chars");
    const chars = charsValue === undefined ? undefined : compileExpression(charsValue, context);
    return (root) => {
      const text = input(root);
      if (isNullish(text)) return null;
      if (typeof text !== "string")
        throw new ServerError(
          50699,
          `${name} requires its input to be a string, got ${describeValue(text)} (of type ${typeNameOf(text)}) instead.`,
        );
      let unwanted = whitespace;
      if (chars !== undefined) {
        const given = chars(root);
        if (isNullish(given)) return null;
        if (typeof given !== "string")
          throw new ServerError(
            50700,
            ` ${name} requires 'chars' to be a string, got ${describeValue(given)} (of type ${typeNameOf(given)}) instead.`,
          );
        unwanted = [...given];
      }
      const points = [...text];
      let from = 0;
      let to = points.length;
      while (left && from < to && unwanted.includes(points[from]!)) from++;
      while (right && to > from && unwanted.includes(points[to - 1]!)) to--;
      return points.slice(from, to).join("");
    };
  };

const replace =
  (all: boolean): OperatorCompiler =>
  (operand, context, name) => {
    const specification = namedArguments(name, operand, ["input", "find", "replacement"], {
      type: 51751,
      unknown: 51750,
    });
    const parts = (["input", "find", "replacement"] as const).map((field, index) => {
      const value = specification.get(field);
      if (value === undefined)
        throw new ServerError([51749, 51748, 51747][index]!, `${name} requires an '${field}' field`);
      return { field, code: [51746, 51745, 51744][index]!, expression: compileExpression(value, context) };
    });
    return (root) => {
      const values = parts.map(({ field, code, expression }) => {
        const value = expression(root);
        if (isNullish(value)) return null;
        if (typeof value !== "string")
          throw new ServerError(
            code,
            `${name} requires that '${field}' be a string, found: ${describeValue(value)}`,
          );
        return value;
      });
      if (values.includes(null)) return null;
      const [input, find, replacement] = values as [string, string, string];
      return all ? input.replaceAll(find, () => replacement) : input.replace(find, () => replacement);
    };
  };

interface RegexArguments {
  input: Expression;
  pattern: (root: Document) => RegExp | null;
}

function regexArguments(name: string, operand: Value, context: ExpressionContext): RegexArguments {
  const specification = namedArguments(name, operand, ["input", "regex", "options"], {
    type: 51103,
    unknown: 31024,
  });
  const inputValue = specification.get("input");
  const regexValue = specification.get("regex");
  if (inputValue === undefined) throw new ServerError(31022, `${name} requires 'input' parameter`);
  if (regexValue === undefined) throw new ServerError(31023, `${name} requires 'regex' parameter`);
  const optionsValue = specification.get("options");
  const regex = compileExpression(regexValue, context);
  const options = optionsValue === undefined ? undefined : compileExpression(optionsValue, context);
  const cache = new Map<string, RegExp>();
  const pattern = (root: Document): RegExp | null => {
    const value = regex(root);
    const flags = options?.(root);
    if (isNullish(value)) return null;
    if (flags !== undefined && flags !== null && typeof flags !== "string")
      throw new ServerError(51106, `${name} needs 'options' to be of type string`);
    const own = typeOf(value) === BsonType.RegExp ? (value as BSONRegExp) : undefined;
    if (own === undefined && typeof value !== "string")
      throw new ServerError(51105, `${name} needs 'regex' to be of type string or regex`);
    if (own !== undefined && own.options !== "" && flags)
      throw new ServerError(
        51107,
        `${name} found regex option(s) specified in both 'regex' and 'option' fields`,
      );
    const source = own?.pattern ?? (value as string);
    const allFlags = own?.options || (flags ?? "");
    const key = `${allFlags}/${source}`;
    let compiled = cache.get(key);
    if (compiled === undefined) {
      const made = toJavaScriptRegExp(source, allFlags);
      compiled = new RegExp(made.source, `${made.flags}g`);
      if (cache.size < 100) cache.set(key, compiled);
    }
    return compiled;
  };
  return { input: compileExpression(inputValue, context), pattern };
}

function describeMatch(text: string, match: RegExpMatchArray): Document {
  return new Map<string, Value>([
    ["match", match[0]],
    ["idx", new Int32([...text.slice(0, match.index)].length)],
    ["captures", match.slice(1).map((capture): Value => capture ?? null)],
  ]);
}

const regexOperator =
  (
    evaluate: (matches: (limit: number) => RegExpMatchArray[], text: string) => Value | null,
    none: Value | null,
  ): OperatorCompiler =>
  (operand, context, name) => {
    const { input, pattern } = regexArguments(name, operand, context);
    return (root) => {
      const text = input(root);
      const regExp = pattern(root);
      if (isNullish(text) || regExp === null) return none;
      if (typeof text !== "string")
        throw new ServerError(51104, `${name} needs 'input' to be of type string`);
      const matches = (limit: number): RegExpMatchArray[] => {
        const found: RegExpMatchArray[] = [];
        for (const match of text.matchAll(regExp)) {
          found.push(match);
          if (found.length >= limit) break;
        }
        return found;
      };
      return evaluate(matches, text);
    };
  };

function split(text: Value | undefined, separator: Value | undefined): Value | null {
  if (isNullish(text) || isNullish(separator)) return null;
  const whole = requireString(
    text,
    "$split requires an expression that evaluates to a string as a first argument, found: ",
    40085,
  );
  const by = requireString(
    separator,
    "$split requires an expression that evaluates to a string as a second argument, found: ",
    40086,
  );
  if (by === "") throw new ServerError(40087, "$split requires a non-empty separator");
  return whole.split(by);
}

const changeCase = (change: (text: string) => string): OperatorCompiler =>
  unary((value) => change(textOf(value)));

export const stringOperators: Record<string, OperatorCompiler> = {
  $concat: variadic(concat),
  $substr: variadic(substringBytes, 3, 3),
  $substrBytes: variadic(substringBytes, 3, 3),
  $substrCP: variadic(substringCodePoints, 3, 3),
  $indexOfBytes: variadic(indexOf, 2, 4),
  $indexOfCP: variadic(indexOf, 2, 4),
  $split: binary(split),
  $trim: trim(true, true),
  $ltrim: trim(true, false),
  $rtrim: trim(false, true),
  $replaceOne: replace(false),
  $replaceAll: replace(true),
  $regexMatch: regexOperator((matches) => matches(1).length > 0, false),
  $regexFind: regexOperator((matches, text) => {
    const [match] = matches(1);
    return match === undefined ? null : describeMatch(text, match);
  }, null),
  $regexFindAll: regexOperator(
    (matches, text) => matches(Infinity).map((match) => describeMatch(text, match)),
    [],
  ),
  // The server changes the case of ASCII letters only.
  $toLower: changeCase((text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())),
  $toUpper: changeCase((text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase())),
  $strcasecmp: binary((a, b) => new Int32(compareStrings(textOf(a).toUpperCase(), textOf(b).toUpperCase()))),
  $strLenBytes: unary(
    (value, name) =>
      new Int32(
        Buffer.byteLength(requireString(value, `${name} requires a string argument, found: `, 34473)),
      ),
  ),
  $strLenCP: unary(
    (value, name) =>
      new Int32([...requireString(value, `${name} requires a string argument, found: `, 34471)].length),
  ),
};
