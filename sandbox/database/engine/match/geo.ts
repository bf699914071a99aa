import { ServerError } from "../errors.ts";
import type { Document } from "../value.ts";
import type { ValueTest } from "./path.ts";

const operators = new Set(["$near", "$nearSphere", "$geoNear", "$geoWithin", "$within", "$geoIntersects"]);

export function isGeoOperator(name: string): boolean {
  return operators.has(name);
}

/** Geospatial predicates. Not built: they answer as a server without a geospatial index. */
export function compileGeo(_operators: Document): ValueTest {
  throw new ServerError(
    "NoQueryExecutionPlans",
    "error processing query: planner returned error: unable to find index for $geoNear query",
  );
}
