/** What a document holds that DMS can't carry: AWS DMS user guide, MongoDB as a source. */
const idCharactersMax = 200;
const levelsMax = 97;

export interface SampleFinding {
  readonly kind: "longIds" | "deep" | "dollarNames";
  /** The finding without the namespace. */
  readonly words: string;
}

/** Looks at one document as the driver decodes it. Reads no further than the levels that count. */
export function sampleFindings(document: Readonly<Record<string, unknown>>): SampleFinding[] {
  const findings: SampleFinding[] = [];
  const id = document._id;
  if (typeof id === "string" && [...id].length > idCharactersMax) {
    findings.push({ kind: "longIds", words: `an _id of ${[...id].length} characters` });
  }
  const { levels, dollar } = measure(document, 1);
  if (levels > levelsMax) findings.push({ kind: "deep", words: `more than ${levelsMax} levels` });
  if (dollar !== undefined) findings.push({ kind: "dollarNames", words: `field ${dollar}` });
  return findings;
}

function measure(value: object, level: number): { levels: number; dollar: string | undefined } {
  let levels = level;
  let dollar: string | undefined;
  if (level > levelsMax) return { levels, dollar };
  for (const [name, inner] of Object.entries(value)) {
    if (!Array.isArray(value) && name.includes("$")) dollar ??= name;
    if (!isContainer(inner)) continue;
    const found = measure(inner, level + 1);
    levels = Math.max(levels, found.levels);
    dollar ??= found.dollar;
  }
  return { levels, dollar };
}

/** Documents and arrays; BSON's own types (ids, dates, numbers) are values. */
function isContainer(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}
