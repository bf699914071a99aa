import { uriEncode } from "../request-target.ts";
import { AwsError } from "../service.ts";
import type { ObjectVersion } from "./schema.ts";
import type { Store } from "./store.ts";

const pageMax = 1000;

/** Above every key that begins with the text before it: the highest code point. */
export const last = "\u{10ffff}";

export interface Listing {
  readonly objects: ObjectVersion[];
  readonly prefixes: string[];
  readonly truncated: boolean;
  /** The last key or common prefix given. */
  readonly end: string;
}

export function maxKeys(query: ReadonlyMap<string, string>, name = "max-keys"): number {
  const value = Number(query.get(name) ?? pageMax);
  if (!Number.isInteger(value) || value < 0)
    throw new AwsError("InvalidArgument", `Provided ${name} not an integer or within integer range`, 400);
  return Math.min(value, pageMax);
}

/** The common prefix a key rolls up into, or undefined. */
export function commonPrefix(key: string, prefix: string, delimiter: string): string | undefined {
  const at = delimiter === "" ? -1 : key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/** Keys from the start of a listing on, one after the other; `skipTo` leaps over a rolled-up stretch. */
class Walker {
  private page: ObjectVersion[] = [];
  private inclusive: boolean;
  private from: string;

  constructor(
    private readonly store: Store,
    private readonly bucket: string,
    private readonly prefix: string,
    after: string,
  ) {
    this.inclusive = comparesBelow(after, prefix);
    this.from = this.inclusive ? prefix : after;
  }

  /** The next object below the prefix, or undefined at the end. */
  peek(): ObjectVersion | undefined {
    if (this.page.length === 0) {
      this.page = this.store.page(this.bucket, this.from, this.inclusive, pageMax).reverse();
      this.inclusive = false;
    }
    const object = this.page.at(-1);
    return object?.key.startsWith(this.prefix) ? object : undefined;
  }

  take(): void {
    this.from = this.page.pop()!.key;
  }

  skipTo(position: string): void {
    this.page = [];
    this.from = position;
  }
}

/** Keys below `prefix` after `after`, rolled up at `delimiter`; whole rolled-up stretches are skipped, not read. */
export function walk(
  store: Store,
  bucket: string,
  prefix: string,
  delimiter: string,
  after: string,
  max: number,
): Listing {
  const objects: ObjectVersion[] = [];
  const prefixes: string[] = [];
  // A page that ended with a common prefix goes on behind all its keys.
  const whole = after.startsWith(prefix) && commonPrefix(after, prefix, delimiter) === after;
  const walker = new Walker(store, bucket, prefix, whole ? after + last : after);
  let end = "";
  for (;;) {
    const object = walker.peek();
    const full = objects.length + prefixes.length >= max;
    if (object === undefined || full) {
      return { objects, prefixes, truncated: object !== undefined && max > 0, end };
    }
    const common = commonPrefix(object.key, prefix, delimiter);
    if (common === undefined) {
      objects.push(object);
      walker.take();
    } else {
      prefixes.push(common);
      walker.skipTo(common + last);
    }
    end = common ?? object.key;
  }
}

export function comparesBelow(a: string, b: string): boolean {
  return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
}

/** Key encoder of the answer: percent-encoded (slashes kept) with `encoding-type=url`. */
export function encoder(query: ReadonlyMap<string, string>): (text: string) => string {
  return query.get("encoding-type") === "url"
    ? (text) => uriEncode(text).replaceAll("%2F", "/")
    : (text) => text;
}
