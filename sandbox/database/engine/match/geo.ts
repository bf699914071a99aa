/** `$geoWithin` and `$geoIntersects`. `$near` needs a geospatial index, which this server doesn't have. */
import { toNumber } from "../arithmetic.ts";
import { describeValue } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { type Document, isNumber, type Value } from "../value.ts";
import {
  badShape,
  cornersOf,
  type Geometry,
  inPolygon,
  intersects,
  type Point,
  readGeoJson,
  readPoint,
  readPoints,
  sphericalDistance,
  storedGeometry,
} from "./geo-shapes.ts";
import type { ValueTest } from "./path.ts";

const operators = new Set(["$near", "$nearSphere", "$geoNear", "$geoWithin", "$within", "$geoIntersects"]);

export function isGeoOperator(name: string): boolean {
  return operators.has(name);
}

type Within = (point: Point) => boolean;

function circle(value: Value, distance: (a: Point, b: Point) => number): Within {
  const parts = Array.isArray(value) ? value : [];
  const center = readPoint(parts[0]);
  const [, radius] = parts;
  if (center === undefined) throw badShape("Point must be an array or object");
  if (!isNumber(radius) || toNumber(radius) < 0) throw badShape("radius must be a non-negative number");
  return (point) => distance(point, center) <= toNumber(radius);
}

function shapeOf(name: string, value: Value): Within {
  switch (name) {
    case "$box": {
      const [a, b] = readPoints(value);
      if (a === undefined || b === undefined) throw badShape("Box must have 2 points");
      const [low, high] = [
        [Math.min(a[0], b[0]), Math.min(a[1], b[1])],
        [Math.max(a[0], b[0]), Math.max(a[1], b[1])],
      ] as const;
      return ([x, y]) => x >= low[0]! && x <= high[0]! && y >= low[1]! && y <= high[1]!;
    }
    case "$polygon": {
      const ring = readPoints(value instanceof Map ? [...value.values()] : value);
      if (ring.length < 3) throw badShape("Polygon must have at least 3 points");
      return (point) => inPolygon(point, [ring]);
    }
    case "$center":
      return circle(value, ([ax, ay], [bx, by]) => Math.hypot(ax - bx, ay - by));
    case "$centerSphere":
      return circle(value, sphericalDistance);
    case "$geometry": {
      const { polygons } = readGeoJson(value);
      if (polygons.length === 0)
        throw badShape(`$within not supported with provided geometry: ${describeValue(value)}`);
      return (point) => polygons.some((polygon) => inPolygon(point, polygon));
    }
    default:
      throw badShape(`unknown geo specifier: ${name}: ${describeValue(value)}`);
  }
}

function compileWithin(operand: Value): (geometry: Geometry) => boolean {
  if (!(operand instanceof Map) || operand.size === 0)
    throw badShape("geo specification requires an object with a shape");
  const [[name, value]] = [...operand] as [[string, Value]];
  const within = shapeOf(name, value);
  return (geometry) => cornersOf(geometry).every(within);
}

function compileIntersects(operand: Value): (geometry: Geometry) => boolean {
  const shape = operand instanceof Map ? operand.get("$geometry") : undefined;
  if (shape === undefined)
    throw badShape(`$geoIntersects not supported with provided geometry: ${describeValue(operand)}`);
  const wanted = readGeoJson(shape);
  return (geometry) => intersects(geometry, wanted);
}

/**
 * Compiles the geospatial operators of a field. An array of places counts place by place.
 * @throws ServerError BadValue for a shape that is none, NoQueryExecutionPlans for `$near` and `$nearSphere`
 */
export function compileGeo(specification: Document): ValueTest {
  const tests = [...specification].map(([operator, operand]) => {
    if (operator === "$geoWithin" || operator === "$within") return compileWithin(operand);
    if (operator === "$geoIntersects") return compileIntersects(operand);
    throw new ServerError(
      "NoQueryExecutionPlans",
      "error processing query: planner returned error :: caused by :: unable to find index for $geoNear query",
    );
  });
  return (value) => {
    if (value === undefined) return false;
    const geometry = storedGeometry(value);
    if (geometry !== undefined) return tests.every((test) => test(geometry));
    if (!Array.isArray(value)) return false;
    return value.some((element) => {
      const place = storedGeometry(element);
      return place !== undefined && tests.every((test) => test(place));
    });
  };
}
