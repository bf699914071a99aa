/** Keeps values that must not be shown out of texts. */
type Json = Readonly<Record<string, unknown>>;

/** Shorter ones would blank out half of every message, and are no secrets worth the name. */
const lengthMin = 4;

export class Redaction {
  readonly #values = new Set<string>();

  add(value: string): void {
    if (value.length >= lengthMin) this.#values.add(value);
  }

  /** The text with every added value replaced, the longest first, so that none shows through a shorter one. */
  clean(text: string): string {
    let cleaned = text;
    for (const value of [...this.#values].sort((left, right) => right.length - left.length))
      cleaned = cleaned.replaceAll(value, "(sensitive value)");
    return cleaned;
  }

  /** Adds what a plan (`terraform show -json`, parsed) marks as sensitive: variables, attributes and outputs. */
  addPlan(plan: unknown): void {
    const document = asRecord(plan);
    const configured = asRecord(asRecord(asRecord(document.configuration).root_module).variables);
    for (const [name, variable] of Object.entries(asRecord(document.variables)))
      if (asRecord(configured[name]).sensitive === true) this.#addAll(asRecord(variable).value);
    for (const list of ["resource_changes", "resource_drift"])
      for (const each of Array.isArray(document[list]) ? (document[list] as unknown[]) : [])
        this.#addChange(asRecord(each).change);
    for (const change of Object.values(asRecord(document.output_changes))) this.#addChange(change);
  }

  #addChange(value: unknown): void {
    const change = asRecord(value);
    this.#addMarked(change.before, change.before_sensitive);
    this.#addMarked(change.after, change.after_sensitive);
  }

  /** `marks` has the shape of `value`, with `true` where everything below is sensitive. */
  #addMarked(value: unknown, marks: unknown): void {
    if (marks === true) this.#addAll(value);
    if (typeof marks !== "object" || marks === null) return;
    for (const [key, mark] of Object.entries(marks)) this.#addMarked(asRecord(value)[key], mark);
  }

  #addAll(value: unknown): void {
    if (typeof value === "string" || typeof value === "number") this.add(String(value));
    else if (typeof value === "object" && value !== null)
      for (const each of Object.values(value)) this.#addAll(each);
  }
}

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
