import { createHash } from "node:crypto";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { actionCatalog } from "../../core/actions/catalog.ts";
import { RoundtripError } from "../../core/errors.ts";
import type { ActionResult, Environment } from "../../core/failback/documents.ts";
import { inspectionsPrefix } from "../../core/failback/layout.ts";
import type { Inspection } from "../../core/live/live-state.ts";
import type { Commands, ObjectStore } from "../../core/ports.ts";
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

export interface InspectionRequest {
  /** Absent: all but the servers' and Roundtrip's own. */
  readonly databases?: readonly string[];
  /** Absent: `estimated`. */
  readonly counts?: "estimated" | "exact";
}

/**
 * What stands on both servers now, as the host sees it: sends action `inspect` and reads the document it left in the
 * bucket. A side that could not be read is `reachable: false` with its reason. Fails as the action or the store does,
 * and `logCorrupt` when the object isn't the one the action wrote or doesn't keep schemas/inspection.schema.json.
 */
export async function readInspection(
  commands: Commands,
  store: ObjectStore,
  environment: Environment,
  { databases, counts = "estimated" }: InspectionRequest = {},
): Promise<Inspection> {
  const parameters = { databases: databases ? databases.join(",") : "*", counts };
  const { data } = await lookOnHost(commands, environment, "inspect", parameters);
  const key = String(data.key);
  if (!key.startsWith(inspectionsPrefix)) throw damaged(key, `a key below ${inspectionsPrefix}`, key);
  const found = await store.get(key);
  if (!found) throw damaged(key, "the object the action named", "no such object");
  const sha256 = createHash("sha256").update(found.body).digest("hex");
  if (sha256 !== data.sha256) throw damaged(key, `sha256 ${String(data.sha256)}`, sha256);
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile<Inspection>(schema);
  const value: unknown = JSON.parse(new TextDecoder().decode(found.body));
  if (!validate(value)) {
    throw damaged(key, "a document by schemas/inspection.schema.json", ajv.errorsText(validate.errors));
  }
  if (value.environment === environment.environment) return value;
  throw damaged(key, `environment ${environment.environment}`, value.environment);
}

function damaged(key: string, expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `read the inspection ${key}`,
    expected,
    got,
    wayOut:
      "run it again; when it stays, see that worker and runner are of one version and read the same bucket",
  });
}
