/** What was looked up for a plan, as lines of text; the renderers place them. */
import type { LiveSize, LoadEstimate, Plan } from "./model.ts";
import { counted, listed } from "./words.ts";

/** Why the plan is not whole; empty when everything was read. */
export function unknownLines({ live, terraform }: Plan): string[] {
  const ofTerraform = terraform?.unknown
    ? [`Terraform could not plan, so it is not known what it would do: ${terraform.unknown}`]
    : [];
  const ofSides = (live?.unknown ?? []).map(
    ({ side, reason, notKnown }) => `${side} could not be read, so it is not known ${notKnown}: ${reason}`,
  );
  return [...ofTerraform, ...ofSides];
}

/** Terraform's changes one by one, losses first. */
export function resourceLines({ terraform }: Plan): string[] {
  return (terraform?.resources ?? []).map(({ address, action, attributes }) => {
    const what =
      attributes.length === 0
        ? ""
        : action === "replace"
          ? ` (forced by ${listed(attributes)})`
          : ` (${listed(attributes)})`;
    return `${action} ${address}${what}`;
  });
}

/** Where Terraform disagrees. */
export function problemLines({ terraform }: Plan): readonly string[] {
  return terraform?.problems ?? [];
}

/** What keeps apply from going on until somebody has done something. */
export function obstacleLines({ live }: Plan): string[] {
  if (!live) return [];
  return [
    ...(live.phase === "normal"
      ? []
      : [`a failback is open (phase ${live.phase}): apply is refused until it has ended`]),
    ...live.underWay,
    ...live.divergence.map(
      ({ what, expected, got, fix }) =>
        `${what} is not as it was applied: expected ${expected}, got ${got}; fix: ${fix}`,
    ),
    ...live.occupied.map(
      ({ name, size }) =>
        `${name} is new and its place on DocumentDB is not empty: ${sizeWords(size)}; apply stops there with the choices`,
    ),
  ];
}

/** Users that are not as they should be; none of it keeps apply from going on. */
export function userLines({ live }: Plan): string[] {
  return (live?.users ?? []).map(
    ({ what, expected, got, fix }) => `${what}: expected ${expected}, got ${got}; fix: ${fix}`,
  );
}

/** What lies in the databases and collections that are dropped. */
export function lossLines({ live }: Plan): string[] {
  return (live?.losses ?? []).map(({ kind, name, collections, size }) => {
    const what = `${live?.environment}: ${kind} ${name}`;
    if (!size) return `${what}: what lies in it is not known`;
    if (collections === 0) return `${what}: not on DocumentDB, nothing is lost`;
    const inside = kind === "database" ? `${counted(collections ?? 0, "collection")}, ` : "";
    return `${what}: ${inside}${sizeWords(size)} go with it`;
  });
}

/** What the replication user gets, and how much is loaded in all. */
export function liveDataLines({ live }: Plan): string[] {
  if (!live) return [];
  const known = live.loads.filter(({ documents }) => documents !== undefined);
  const documents = known.reduce((sum, load) => sum + (load.documents ?? 0), 0);
  const unknown = live.loads.reduce((sum, load) => sum + load.unknown.length, 0);
  const total = [
    ...(known.length > 0 ? [`about ${documentsWords(documents)}`] : []),
    ...(unknown > 0 ? [`${counted(unknown, "collection")} of unknown size`] : []),
  ].join(", and ");
  return [
    ...(documents > 0 || unknown > 0 ? [`${live.environment}: loaded in all: ${total}`] : []),
    ...(live.grants.length > 0
      ? [
          `${live.environment}: user ${live.grants[0]!.user} gets ${live.grants[0]!.role} on ${listed(live.grants.map(({ database }) => database))}`,
        ]
      : []),
  ];
}

/** What stays although nobody declares it. */
export function leftLines({ live }: Plan): string[] {
  if (!live || live.undeclared.length === 0) return [];
  const names = live.undeclared.map(({ name }) => name);
  return [
    `${live.environment}: ${counted(names.length, "collection")} on DocumentDB in no task, left as they are: ${listed(names)}`,
  ];
}

/** `about 1,200,000 documents, 3.1 GB, 12.4 min (MongoDB's count; speed of 8 finished loads here)` */
export function loadWords(load: LoadEstimate): string {
  const { documents, bytes, minutes, from, unknown } = load;
  if (documents === 0 && unknown.length === 0)
    return `nothing to load: no documents by ${listed(from.slice(0, 1))}`;
  const numbers = [
    documents === undefined ? "size not known" : `about ${documentsWords(documents)}`,
    documents === undefined ? "" : bytes === undefined ? "bytes not known" : bytesWords(bytes),
    documents === undefined || documents === 0
      ? ""
      : minutes === undefined
        ? "time not known: no finished load here to measure by"
        : `${minutes} min`,
  ].filter((part) => part !== "");
  const without = documents !== undefined && unknown.length > 0 ? `, without ${listed(unknown)}` : "";
  const sources = from.length > 0 ? ` (${from.join("; ")})` : "";
  return `${numbers.join(", ")}${without}${sources}`;
}

/** `Terraform: 1 to create, 2 to update` */
export function terraformSummary({ terraform }: Plan): string | undefined {
  if (!terraform) return undefined;
  if (terraform.unknown !== undefined)
    return `Terraform in ${terraform.environment}: UNKNOWN, it could not plan`;
  const parts = (["replace", "delete", "create", "update"] as const)
    .filter((action) => terraform.changes[action] > 0)
    .map((action) => `${terraform.changes[action]} to ${action}`);
  const accepted = terraform.accepted.length > 0 ? `; let pass by hand: ${listed(terraform.accepted)}` : "";
  const verdict =
    terraform.problems.length === 0
      ? "it agrees with this plan"
      : `it DISAGREES with this plan in ${counted(terraform.problems.length, "place")}`;
  return `Terraform in ${terraform.environment}: ${parts.join(", ") || "no changes"}; ${verdict}${accepted}`;
}

/** One line for what was looked at; never "nothing" where something could not be read. */
export function lookedLine({ live }: Plan): string | undefined {
  if (!live) return undefined;
  const looked = `${live.environment} as it stood at ${live.takenAt}`;
  return live.unknown.length === 0
    ? `${looked}: DMS, DocumentDB and MongoDB were read`
    : `${looked}: UNKNOWN in part, ${live.unknown.map(({ side }) => side).join(" and ")} could not be read`;
}

function sizeWords({ documents, bytes, estimated }: LiveSize): string {
  return `${estimated ? "about " : ""}${documentsWords(documents)}, ${bytesWords(bytes)}`;
}

function documentsWords(documents: number): string {
  return `${number(documents)} ${documents === 1 ? "document" : "documents"}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function bytesWords(bytes: number): string {
  const units = ["bytes", "kB", "MB", "GB", "TB"] as const;
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
