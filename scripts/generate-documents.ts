/**
 * Writes the SSM documents in runbooks/documents/ from the actions' catalog, one document per action.
 * `bun scripts/generate-documents.ts` writes them; a test holds the committed files to the catalog.
 */
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type ActionMetadata, actionCatalog } from "../core/actions/catalog.ts";
import { type ActionParameter, documentParameterName, failbackParameter } from "../core/actions/parameter.ts";

export const documentsDirectory = join(import.meta.dirname, "../runbooks/documents");
const worker = "/opt/roundtrip/bin/roundtrip-worker";
/** The file the units read as EnvironmentFile: ROUNDTRIP_CONFIG, AWS_REGION. Root owns it. */
const workerEnvironment = "/etc/roundtrip/worker.env";

function documentParameter(parameter: ActionParameter): Record<string, unknown> {
  return {
    type: "String",
    description: parameter.description,
    ...(parameter.default === undefined ? {} : { default: parameter.default }),
    ...(parameter.allowedPattern ? { allowedPattern: parameter.allowedPattern } : {}),
    ...(parameter.allowedValues ? { allowedValues: parameter.allowedValues } : {}),
    interpolationType: "ENV_VAR",
  };
}

/**
 * The value reaches the shell only as a quoted environment variable, never as text of the script; an agent too
 * old for ENV_VAR leaves the variable unset, and the shell stops there instead of running without the value.
 */
function argument(option: string, parameter: ActionParameter): string {
  return `--${option} "\${SSM_${documentParameterName(parameter.name)}:?update the SSM agent: it does not set ENV_VAR parameters}"`;
}

/** The SSM document (schema 2.2) of one action. */
export function documentOf(action: ActionMetadata): Record<string, unknown> {
  const parameters = [...(action.failback ? [failbackParameter] : []), ...action.parameters];
  const words = [
    ...(action.failback ? [argument("failback", failbackParameter)] : []),
    ...action.parameters.map((parameter) => argument(parameter.name, parameter)),
  ];
  return {
    schemaVersion: "2.2",
    description: action.summary,
    ...(parameters.length === 0
      ? {}
      : {
          parameters: Object.fromEntries(
            parameters.map((parameter) => [
              documentParameterName(parameter.name),
              documentParameter(parameter),
            ]),
          ),
        }),
    mainSteps: [
      {
        action: "aws:runShellScript",
        name: "run",
        precondition: { StringEquals: ["platformType", "Linux"] },
        inputs: {
          timeoutSeconds: String(action.timeoutSeconds),
          runCommand: [
            "set -eu",
            `if [ -r ${workerEnvironment} ]; then set -a; . ${workerEnvironment}; set +a; fi`,
            ["exec", worker, "action", action.name, ...words].join(" "),
          ],
        },
      },
    ],
  };
}

/** Every document by its file name, as the files must be. */
export function documentFiles(): Map<string, string> {
  return new Map(
    actionCatalog.map((action) => [
      `${action.name}.json`,
      `${JSON.stringify(documentOf(action), null, 2)}\n`,
    ]),
  );
}

if (import.meta.main) {
  const files = documentFiles();
  for (const name of await readdir(documentsDirectory)) {
    if (name.endsWith(".json") && !files.has(name)) await rm(join(documentsDirectory, name));
  }
  for (const [name, text] of files) await writeFile(join(documentsDirectory, name), text);
  console.log(`wrote ${files.size} documents to runbooks/documents`);
}
