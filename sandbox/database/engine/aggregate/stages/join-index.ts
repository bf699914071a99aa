import { keyOf } from "../../keystring.ts";
import { anyAtPath, parsePath } from "../../match/path.ts";
import { BsonType, type Document, typeOf, type Value } from "../../value.ts";

/** Text that equal values share; null stands for missing too. */
export function keyText(value: Value): string {
  const nullish = value === null || typeOf(value) === BsonType.Undefined;
  return nullish ? "null" : Buffer.from(keyOf([value])).toString("latin1");
}

/** Documents of a collection by the values a query predicate would find at a field. */
export class JoinIndex {
  private readonly byKey = new Map<string, number[]>();
  private readonly documents: Document[];

  constructor(documents: Document[], field: string) {
    this.documents = documents;
    const path = parsePath(field);
    documents.forEach((document, index) => {
      const keys = new Set<string>();
      anyAtPath(
        document,
        path,
        0,
        true,
        (value) => {
          keys.add(value === undefined ? "null" : keyText(value));
          return false;
        },
        undefined,
      );
      for (const key of keys) {
        const present = this.byKey.get(key);
        if (present === undefined) this.byKey.set(key, [index]);
        else present.push(index);
      }
    });
  }

  find(values: Value[]): Document[] {
    const found = new Set<number>();
    for (const value of values) for (const index of this.byKey.get(keyText(value)) ?? []) found.add(index);
    return [...found].sort((a, b) => a - b).map((index) => this.documents[index]!);
  }
}
