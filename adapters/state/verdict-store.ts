import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { Verdict } from "../../core/failback/documents.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import schema from "../../schemas/verdict.schema.json" with { type: "json" };
import { writeJson } from "./json.ts";

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });
addFormats(ajv);
const validate = ajv.compile(schema);

/** Keeps a verdict. One that the schema refuses is a fault of this program, never written. */
export async function writeVerdict(store: ObjectStore, verdict: Verdict): Promise<void> {
  if (!validate(verdict)) {
    const wrong = (validate.errors ?? []).map(
      ({ instancePath, message }) => `${instancePath || "/"} ${message}`,
    );
    throw new Error(
      `verdict of ${verdict.failbackId} against schemas/verdict.schema.json: ${wrong.join("; ")}`,
    );
  }
  await writeJson(store, keysOf(verdict.failbackId).verdict, verdict);
}
