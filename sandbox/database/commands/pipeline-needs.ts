/** Rights a pipeline needs beside reading its own collection: the ones of stages that read or write elsewhere. */
import { type Need, namespace, need } from "../auth/privilege.ts";
import { type Document, isDocument, type Value } from "../engine/value.ts";
import type { CommandContext } from "../server/context.ts";

interface Place {
  database: string;
  name: string;
}

function place(context: CommandContext, value: Value | undefined): Place | undefined {
  if (typeof value === "string") return { database: context.database, name: value };
  if (!isDocument(value)) return undefined;
  const name = value.get("coll");
  const database = value.get("db");
  return typeof name === "string"
    ? { database: typeof database === "string" ? database : context.database, name }
    : undefined;
}

function read(at: Place | undefined): Need[] {
  return at ? [need(namespace(at.database, at.name), "find")] : [];
}

function inside(context: CommandContext, value: Value | undefined): Need[] {
  return Array.isArray(value) ? pipelineNeeds(context, value.filter(isDocument)) : [];
}

function stageNeeds(context: CommandContext, name: string, value: Value): Need[] {
  const fields = isDocument(value) ? value : undefined;
  const extra = context.body.get("bypassDocumentValidation") === true ? ["bypassDocumentValidation"] : [];
  switch (name) {
    case "$lookup":
    case "$graphLookup":
      return [...read(place(context, fields?.get("from"))), ...inside(context, fields?.get("pipeline"))];
    case "$unionWith":
      return [...read(place(context, value)), ...inside(context, fields?.get("pipeline"))];
    case "$facet":
      return [...(fields?.values() ?? [])].flatMap((pipeline) => inside(context, pipeline));
    case "$out": {
      const at = place(context, value);
      return at ? [need(namespace(at.database, at.name), "insert", "remove", ...extra)] : [];
    }
    case "$merge": {
      const at = place(context, fields ? fields.get("into") : value);
      if (!at) return [];
      const matched = fields?.get("whenMatched");
      const actions = [
        ...(fields?.get("whenNotMatched") === "discard" ? [] : ["insert"]),
        ...(matched === "fail" || matched === "keepExisting" ? [] : ["update"]),
      ];
      return [need(namespace(at.database, at.name), ...actions, ...extra)];
    }
    default:
      return [];
  }
}

export function pipelineNeeds(context: CommandContext, pipeline: readonly Document[]): Need[] {
  return pipeline.flatMap((stage) => [...stage].flatMap(([name, value]) => stageNeeds(context, name, value)));
}
