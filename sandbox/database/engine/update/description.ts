import { type Document, Int32, type Value } from "../value.ts";

/** What a change event's `updateDescription` holds. */
export interface UpdateDescription {
  updatedFields: Document;
  removedFields: string[];
  truncatedArrays: Document[];
  /** only paths that can be misread: with a field name that is a number or holds a dot */
  disambiguatedPaths: Document;
}

type Steps = (string | number)[];

const isNumeric = (name: string): boolean => /^(0|[1-9][0-9]*)$/.test(name);

class Reader {
  readonly description: UpdateDescription = {
    updatedFields: new Map(),
    removedFields: [],
    truncatedArrays: [],
    disambiguatedPaths: new Map(),
  };

  private pathOf(steps: Steps): string {
    const path = steps.join(".");
    const ambiguous = steps.some(
      (step, index) => typeof step === "string" && (step.includes(".") || (index > 0 && isNumeric(step))),
    );
    if (ambiguous) {
      const components = steps.map((step): Value => (typeof step === "number" ? new Int32(step) : step));
      this.description.disambiguatedPaths.set(path, components);
    }
    return path;
  }

  readDocument(diff: Document, steps: Steps): void {
    for (const [section, content] of diff) {
      if (!(content instanceof Map)) continue;
      if (section === "d") {
        for (const name of content.keys()) this.description.removedFields.push(this.pathOf([...steps, name]));
      } else if (section === "u" || section === "i") {
        for (const [name, value] of content)
          this.description.updatedFields.set(this.pathOf([...steps, name]), value);
      } else this.readInside(content, [...steps, section.slice(1)]);
    }
  }

  private readInside(diff: Document, steps: Steps): void {
    if (diff.get("a") === true) this.readArray(diff, steps);
    else this.readDocument(diff, steps);
  }

  private readArray(diff: Document, steps: Steps): void {
    for (const [key, content] of diff) {
      if (key === "a") continue;
      if (key === "l") {
        this.description.truncatedArrays.push(
          new Map<string, Value>([
            ["field", this.pathOf(steps)],
            ["newSize", content],
          ]),
        );
        continue;
      }
      const inside = [...steps, Number(key.slice(1))];
      if (key.startsWith("u")) this.description.updatedFields.set(this.pathOf(inside), content);
      else this.readInside(content as Document, inside);
    }
  }
}

/** The `updateDescription` of a change event for an oplog delta. */
export function updateDescription(diff: Document): UpdateDescription {
  const reader = new Reader();
  reader.readDocument(diff, []);
  return reader.description;
}
