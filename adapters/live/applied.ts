import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { RoundtripError } from "../../core/errors.ts";
import { type Applied, appliedKey } from "../../core/plan/applied.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { parseTasks, type Tasks } from "../../core/tasks/tasks.ts";
import schema from "../../schemas/applied.schema.json" with { type: "json" };
import { readJson } from "../state/json.ts";

export interface ReadApplied {
  readonly document: Applied;
  readonly tasks: Tasks;
  readonly etag: string;
}

/**
 * What an environment was last brought to; `undefined` when nothing was ever applied. Fails `logCorrupt` for a document
 * that doesn't keep its schema or is another environment's, `configuration` when its tasks can't be read any more.
 */
export async function readApplied(store: ObjectStore, environment: string): Promise<ReadApplied | undefined> {
  const found = await readJson<unknown>(store, appliedKey);
  if (!found) return undefined;
  const ajv = new Ajv2020({ allErrors: true });
  addFormats(ajv);
  const validate = ajv.compile<Applied>(schema);
  const { value, etag } = found;
  if (!validate(value))
    throw damaged("a document by schemas/applied.schema.json", ajv.errorsText(validate.errors));
  if (value.environment !== environment) throw damaged(`environment ${environment}`, value.environment);
  return { document: value, tasks: parseTasks(value.tasksText, appliedKey), etag };
}

function damaged(expected: string, got: string): RoundtripError {
  return new RoundtripError({
    kind: "logCorrupt",
    what: `read ${appliedKey}`,
    expected,
    got,
    wayOut:
      "see that --env names the environment of this bucket; else restore the object's last whole version",
  });
}
