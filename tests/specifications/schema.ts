/** The unified test format's files as far as this runner reads them (specifications/source/unified-test-format). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BSON, type Document } from "mongodb";

/** One kind (client, database, …) and its definition. */
export type EntityDefinition = Readonly<Record<string, Document>>;

export interface Requirement {
  readonly minServerVersion?: string;
  readonly maxServerVersion?: string;
  readonly topologies?: readonly string[];
  readonly serverless?: "require" | "forbid" | "allow";
  readonly auth?: boolean;
  readonly authMechanism?: string;
  readonly csfle?: boolean | Document;
  readonly serverParameters?: Document;
}

export interface ExpectedError {
  readonly isError?: boolean;
  readonly isClientError?: boolean;
  readonly isTimeoutError?: boolean;
  readonly errorContains?: string;
  readonly errorCode?: number;
  readonly errorCodeName?: string;
  readonly errorLabelsContain?: readonly string[];
  readonly errorLabelsOmit?: readonly string[];
  readonly writeErrors?: Document;
  readonly writeConcernErrors?: readonly Document[];
  readonly errorResponse?: Document;
  readonly expectResult?: unknown;
}

export interface Operation {
  readonly name: string;
  readonly object: string;
  readonly arguments?: Document;
  readonly ignoreResultAndError?: boolean;
  readonly expectError?: ExpectedError;
  readonly expectResult?: unknown;
  readonly saveResultAsEntity?: string;
}

export interface CollectionData {
  readonly databaseName: string;
  readonly collectionName: string;
  readonly createOptions?: Document;
  readonly documents: readonly Document[];
}

export interface ExpectedEvents {
  readonly client: string;
  readonly eventType?: "command" | "cmap" | "sdam";
  readonly events: readonly Document[];
  readonly ignoreExtraEvents?: boolean;
}

export interface Case {
  readonly description: string;
  readonly skipReason?: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly operations: readonly Operation[];
  readonly expectEvents?: readonly ExpectedEvents[];
  readonly expectLogMessages?: readonly Document[];
  readonly outcome?: readonly CollectionData[];
}

export interface CaseFile {
  readonly description: string;
  readonly runOnRequirements?: readonly Requirement[];
  readonly createEntities?: readonly EntityDefinition[];
  readonly initialData?: readonly CollectionData[];
  readonly tests: readonly Case[];
}

/** One JSON file of cases and its path below the folder of the specifications. */
export interface NamedFile {
  readonly path: string;
  readonly content: CaseFile;
}

/**
 * Reads every JSON file of cases below `folder`, by name. Numbers come as plain numbers where they fit (relaxed
 * Extended JSON), which is what the driver gives back too.
 * @throws Error naming the folder when it isn't there or holds no case
 */
export function loadCaseFiles(root: string, folder: string): NamedFile[] {
  const paths = readdirSync(join(root, folder), { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((path) => path.endsWith(".json"))
    .sort();
  if (paths.length === 0)
    throw new Error(`${join(root, folder)}: expected files of cases (*.json), got none; see SPECIFICATIONS`);
  return paths.map((path) => ({
    path,
    content: BSON.EJSON.parse(readFileSync(join(root, path), "utf8"), { relaxed: true }) as CaseFile,
  }));
}
