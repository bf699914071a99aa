import type { LiveCollection, LiveSide } from "../live/live-state.ts";
import { droppingEnvironments, type Tasks } from "../tasks/model.ts";
import type { Finding } from "./model.ts";

type Read = Extract<LiveSide, { reachable: true }>;

interface Found {
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** How the collections on DocumentDB differ from those of `tasks`. Where removal keeps data, what nobody declares is no drift. */
export function collectionFindings(
  tasks: Tasks,
  environment: string,
  documentdb: Read,
  mongodb: Read | undefined,
): Found {
  const source = mongodb && namespacesOf(mongodb);
  const declared = declaredNamespaces(tasks);
  const there = namespacesOf(documentdb);
  const extra = [...there].filter(([namespace]) => !declared.has(namespace));
  const drops = droppingEnvironments.includes(environment);
  return {
    findings: [
      ...[...declared]
        .filter(([namespace]) => !there.has(namespace))
        .map(
          ([namespace, task]): Finding =>
            missingOnDocumentdb(namespace, task, source?.has(namespace) ?? true),
        ),
      ...(drops ? extra.map(([namespace, collection]) => extraOnDocumentdb(namespace, collection)) : []),
    ],
    notes: drops
      ? []
      : extra.map(
          ([namespace, collection]) =>
            `DocumentDB ${namespace}: in no task, ${sizeWords(collection)}; ${environment} keeps what was removed from tasks.yaml`,
        ),
  };
}

function missingOnDocumentdb(namespace: string, task: string, hasSource: boolean): Finding {
  return {
    area: "documentdb",
    kind: "collection-missing",
    what: `DocumentDB ${namespace}`,
    expected: `the collection that DMS task ${task} writes`,
    got: "no such collection",
    fix: hasSource
      ? "create it with its unique indexes, then reload just this table in DMS: by itself DMS carries only what changes from now on"
      : "roundtrip apply: the create-user-db lambda creates it; MongoDB doesn't have it either, so nothing is missing in it",
  };
}

function extraOnDocumentdb(namespace: string, collection: LiveCollection): Finding {
  return {
    area: "documentdb",
    kind: "collection-extra",
    what: `DocumentDB ${namespace}`,
    expected: "only collections of tasks.yaml",
    got: sizeWords(collection),
    fix: "add it to a task in tasks.yaml, or drop it once nobody needs it",
  };
}

/** Collections of MongoDB nobody replicates, and declared ones that MongoDB doesn't have: worth knowing, no drift. */
export function sourceNotes(tasks: Tasks, mongodb: Read): string[] {
  const declared = declaredNamespaces(tasks);
  const databases = new Set(tasks.tasks.map(({ database }) => database));
  const there = namespacesOf(mongodb);
  return [
    ...[...declared.keys()]
      .filter((namespace) => !there.has(namespace))
      .map((namespace) => `MongoDB ${namespace}: declared, not there yet; DMS carries it as soon as it is`),
    ...[...there]
      .filter(([namespace]) => !declared.has(namespace) && databases.has(databaseOf(namespace)))
      .map(
        ([namespace, collection]) =>
          `MongoDB ${namespace}: in no task, so a failover would be without it (${sizeWords(collection)})`,
      ),
  ];
}

/** Indexes of declared collections that one side has and the other lacks, by name. */
export function indexFindings(tasks: Tasks, mongodb: Read, documentdb: Read): Finding[] {
  const [source, target] = [namespacesOf(mongodb), namespacesOf(documentdb)];
  return [...declaredNamespaces(tasks).keys()].flatMap((namespace) => {
    const [left, right] = [source.get(namespace)?.indexes, target.get(namespace)?.indexes];
    if (!left || !right) return [];
    const lacks = (side: "documentdb" | "mongodb", names: readonly string[], other: readonly string[]) =>
      names.filter((name) => !other.includes(name)).map((name) => indexMissing(side, namespace, name));
    return [...lacks("documentdb", left, right), ...lacks("mongodb", right, left)];
  });
}

function indexMissing(area: "documentdb" | "mongodb", namespace: string, name: string): Finding {
  const [side, other] = area === "documentdb" ? ["DocumentDB", "MongoDB"] : ["MongoDB", "DocumentDB"];
  return {
    area,
    kind: "index-missing",
    what: `${side} ${namespace} index ${name}`,
    expected: `the index that ${other} has`,
    got: "no index of that name",
    fix: `create it on ${side} (DMS copies no secondary indexes), or drop it on ${other}`,
  };
}

function declaredNamespaces(tasks: Tasks): Map<string, string> {
  return new Map(
    tasks.tasks.flatMap(({ id, database, collections }) =>
      collections.map(({ name }) => [`${database}.${name}`, id] as const),
    ),
  );
}

/** Every collection of a side, by `database.collection`. */
function namespacesOf(side: Read): Map<string, LiveCollection> {
  return new Map(
    side.databases.flatMap(({ name, collections }) =>
      collections.map((collection) => [`${name}.${collection.name}`, collection] as const),
    ),
  );
}

function databaseOf(namespace: string): string {
  return namespace.slice(0, namespace.indexOf("."));
}

/** Empty or not is what counts here: a number that moves would change the text of every report. */
function sizeWords({ documents }: LiveCollection): string {
  return documents === 0 ? "an empty collection" : `a collection with documents in it`;
}
