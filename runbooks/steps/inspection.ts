import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { actionCatalog } from "../../core/actions/catalog.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ActionResult, Environment } from "../../core/failback/documents.ts";
import { inspectionsPrefix } from "../../core/failback/layout.ts";
import type { Inspection } from "../../core/live/live-state.ts";
import type { Commands, ObjectStore } from "../../core/ports.ts";
import { sha256Of } from "../../core/sha256.ts";
import schema from "../../schemas/inspection.schema.json" with { type: "json" };
import { documentName, resultOf } from "../engine/action.ts";

/** SSM needs time to deliver the command and to say that it has ended. */
const deliveryMarginSeconds = 120;

/** The host that is on in normal times: the operations EC2, or where there is none the failback EC2. */
export function operationsInstance(environment: Environment): string {
  return environment.operationsInstanceId ?? environment.instanceId;
}

/**
 * Runs an action that belongs to no failback and only looks, on the operations host. Fails as the action does, and
 * `unknown` when its end was not seen in time.
 */
export async function lookOnHost(
  commands: Commands,
  environment: Environment,
  action: "inspect" | "preflight" | "readiness",
  parameters: Readonly<Record<string, string>> = {},
): Promise<ActionResult> {
  const instanceId = operationsInstance(environment);
  const seconds =
    (actionCatalog.find(({ name }) => name === action)?.timeoutSeconds ?? 300) + deliveryMarginSeconds;
  const commandId = await commands.send(instanceId, documentName(environment, action), parameters);
  return resultOf(action, await commands.wait(instanceId, commandId, seconds));
}

/**
 * Runs such an action and reads the document it left in the bucket. Fails as the action or the store does, and
 * `logCorrupt` when the object isn't the one the action wrote, is another environment's, or doesn't keep the schema.
 */
export async function readFromHost<T extends { readonly environment: string }>(
  commands: Commands,
  store: ObjectStore,
  environment: Environment,
  wanted: {
    readonly action: "inspect" | "preflight";
    readonly parameters: Readonly<Record<string, string>>;
    readonly prefix: string;
    /** JSON Schema of the document. */
    readonly schema: object;
  },
): Promise<T> {
  const { action, prefix } = wanted;
  const { data } = await lookOnHost(commands, environment, action, wanted.parameters);
  const key = String(data.key);
  const damaged = (expected: string, got: string) => notWhatWasWritten(action, key, expected, got);
  if (!key.startsWith(prefix)) throw damaged(`a key below ${prefix}`, key);
  const found = await store.get(key);
  if (!found) throw damaged("the object the action named", "no such object");
  const sha256 = sha256Of(found.body);
  if (sha256 !== data.sha256) throw damaged(`sha256 ${String(data.sha256)}`, sha256);
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile<T>(wanted.schema);
  const value: unknown = JSON.parse(new TextDecoder().decode(found.body));
  if (!validate(value)) throw damaged("a document by its schema", ajv.errorsText(validate.errors));
  if (value.environment === environment.environment) return value;
  throw damaged(`environment ${environment.environment}`, value.environment);
}

function notWhatWasWritten(action: string, key: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `read what action ${action} left at ${key}`,
    expected,
    got,
    wayOut:
      "run it again; when it stays, see that worker and runner are of one version and read the same bucket",
  });
}

export interface InspectionRequest {
  /** Absent: all but the servers' and Roundtrip's own. */
  readonly databases?: readonly string[];
  /** Absent: `estimated`. */
  readonly counts?: "estimated" | "exact";
}

/**
 * What stands on both servers now, as the host sees it. A side that could not be read is `reachable: false` with its
 * reason. Fails as `readFromHost` does.
 */
export function readInspection(
  commands: Commands,
  store: ObjectStore,
  environment: Environment,
  { databases, counts = "estimated" }: InspectionRequest = {},
): Promise<Inspection> {
  const parameters = { databases: databases ? databases.join(",") : "*", counts };
  const wanted = { action: "inspect", parameters, prefix: inspectionsPrefix, schema } as const;
  return readFromHost<Inspection>(commands, store, environment, wanted);
}
