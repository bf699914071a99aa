/**
 * Reads `terraform show -json` of a state. The document holds every value in clear, sensitive ones too: `value` gives only
 * what isn't marked. Format: https://developer.hashicorp.com/terraform/internals/json-format#state-representation
 */
import { RoundtripError } from "../errors.ts";
import { type Address, readAddress } from "./address.ts";

type Json = Readonly<Record<string, unknown>>;

export interface StateObject {
  readonly address: Address;
  readonly type: string;
  /** What the provider knows it by: what `import` takes. */
  readonly id: string;
  /** Terraform would replace it at the next apply. */
  readonly tainted: boolean;
  /** An attribute's value; undefined when it is null, not there, or marked sensitive. */
  value(attribute: string): unknown;
  /** The same, when it is a text that isn't empty. */
  text(attribute: string): string | undefined;
  /** Whether there is a value that must not be shown. */
  isSensitive(attribute: string): boolean;
  /** Whether user and password are those of a secret's version. The values stay inside. */
  hasLoginOf(secretVersion: StateObject): boolean;
}

/** Every managed object, in the order of the document. Fails with kind `configuration` for what is no state. */
export function readState(text: string): StateObject[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold secrets: it is dropped on purpose.
    throw notAState(`${text.length} characters that are not JSON`);
  }
  if (!isRecord(document)) throw notAState("JSON that is not an object");
  const version = document.format_version;
  if (typeof version !== "string" || !/^(0\.\d+|1\.\d+)$/.test(version))
    throw notAState(
      "version" in document
        ? "a raw state file (it has no format_version)"
        : "no format_version, or one that isn't 1.x",
    );
  if ("resource_changes" in document) throw notAState("a plan");
  if (!isRecord(document.values) || !isRecord(document.values.root_module))
    throw notAState("a state that is empty");
  return objectsOf(document.values.root_module, 0);
}

const depthMax = 64;

function objectsOf(module: Json, depth: number): StateObject[] {
  if (depth > depthMax) throw notAState(`modules nested deeper than ${depthMax}`);
  const own = listOf(module.resources).filter(
    ({ mode, deposed_key }) => mode === "managed" && deposed_key === undefined,
  );
  return [
    ...own.map(objectOf),
    ...listOf(module.child_modules).flatMap((child) => objectsOf(child, depth + 1)),
  ];
}

function objectOf(resource: Json): StateObject {
  const { address, type } = resource;
  if (typeof address !== "string" || typeof type !== "string")
    throw notAState("an object without address and type");
  const values = isRecord(resource.values) ? resource.values : {};
  const marks = resource.sensitive_values;
  const isMarked = (name: string) => marks === true || (isRecord(marks) && hasMark(marks[name]));
  const value = (name: string) => (isMarked(name) ? undefined : (values[name] ?? undefined));
  const object: StateObject = {
    address: readAddress(address),
    type,
    id: typeof values.id === "string" ? values.id : "",
    tainted: resource.tainted === true,
    value,
    text: (name) => {
      const found = value(name);
      return typeof found === "string" && found !== "" ? found : undefined;
    },
    isSensitive: (name) => isMarked(name) && values[name] !== null && values[name] !== undefined,
    hasLoginOf: (secretVersion) => {
      const login = loginIn(inClear.get(secretVersion)?.secret_string);
      return login !== undefined && login.username === values.username && login.password === values.password;
    },
  };
  inClear.set(object, values);
  return object;
}

/** Values with the sensitive ones: they never leave this file, whatever prints an object. */
const inClear = new WeakMap<StateObject, Json>();

function loginIn(text: unknown): Json | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    return isRecord(parsed) && typeof parsed.username === "string" && typeof parsed.password === "string"
      ? parsed
      : undefined;
  } catch {
    return undefined;
  }
}

function hasMark(mark: unknown): boolean {
  if (mark === true) return true;
  return typeof mark === "object" && mark !== null && Object.values(mark).some(hasMark);
}

function listOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function notAState(got: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "read the old state",
    expected: "the output of terraform show -json, without a plan file",
    got,
    wayOut: "in the old root: terraform show -json > state.json",
  });
}
