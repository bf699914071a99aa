import { RoundtripError } from "../errors.ts";
import { quoted } from "../tasks/names.ts";

const name = String.raw`[\p{L}_][\p{L}\p{N}_-]*`;
/** A key in quotes as Terraform prints it; nothing in it begins a template. */
const key = String.raw`\[(?:\d+|"(?:[^"\\$%\p{Cc}]|\\["\\nrt]|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\$\$\{|%%\{|[$%](?!\{))*")\]`;
const step = new RegExp(`(${name})(${key})?`, "uy");

/** The address of a resource's instance in the old state, checked so that it can be written as code. */
export interface Address {
  readonly text: string;
  /** Without any key: the resource as a whole, as `removed` blocks name it. */
  readonly resource: string;
  /** The module it stands in, without keys; empty in the root. */
  readonly module: string;
}

/** Reads `module.a["x"].aws_dms_endpoint.b["y"]`. Fails with kind `configuration` for anything else. */
export function readAddress(text: string): Address {
  const names: string[] = [];
  for (let at = 0; at < text.length; ) {
    step.lastIndex = at;
    const match = step.exec(text);
    const end = at + (match?.[0].length ?? 0);
    if (!match || (end < text.length && text[end] !== ".") || end === text.length - 1) throw noAddress(text);
    names.push(match[1]!);
    at = end + 1;
  }
  const modules = names.slice(0, -2);
  if (
    names.length < 2 ||
    names.at(-2) === "module" ||
    modules.length % 2 !== 0 ||
    modules.some((each, at) => at % 2 === 0 && each !== "module")
  )
    throw noAddress(text);
  return { text, resource: names.join("."), module: modules.join(".") };
}

function noAddress(text: string): RoundtripError {
  return new RoundtripError({
    kind: "configuration",
    what: "read an address of the old state",
    expected: "module.NAME.TYPE.NAME with keys in brackets",
    got: quoted(text),
    wayOut: "write the state anew: terraform show -json > state.json",
  });
}
