/** Points and shapes of geospatial queries, from legacy pairs and GeoJSON. */
import { toNumber } from "../arithmetic.ts";
import { describeValue } from "../describe.ts";
import { ServerError } from "../errors.ts";
import { isNumber, type Value } from "../value.ts";

export type Point = readonly [number, number];

/** What a document's field holds: points, and the lines or rings between them. */
export interface Geometry {
  points: Point[];
  /** consecutive points that are joined */
  lines: Point[][];
  /** rings of polygons: the first of each is the outline, others are holes */
  polygons: Point[][][];
}

export function badShape(message: string): ServerError {
  return new ServerError("BadValue", message);
}

/** Reads `[x, y]` or `{x: …, y: …}`. */
export function readPoint(value: Value | undefined): Point | undefined {
  const parts = value instanceof Map ? [...value.values()] : value;
  if (!Array.isArray(parts) || parts.length < 2) return undefined;
  const [x, y] = parts;
  return isNumber(x) && isNumber(y) ? [toNumber(x), toNumber(y)] : undefined;
}

export function readPoints(value: Value | undefined): Point[] {
  if (!Array.isArray(value))
    throw badShape(
      `expected an array of points, found ${value === undefined ? "nothing" : describeValue(value)}`,
    );
  return value.map((element) => {
    const point = readPoint(element);
    if (point === undefined)
      throw badShape(`Point must be an array or object, found ${describeValue(element)}`);
    return point;
  });
}

const empty = (): Geometry => ({ points: [], lines: [], polygons: [] });

function rings(value: Value | undefined): Point[][] {
  if (!Array.isArray(value)) throw badShape("Polygon coordinates must be an array of arrays of positions");
  return value.map((ring) => {
    const points = readPoints(ring);
    const [first, last] = [points[0], points.at(-1)];
    if (points.length < 4) throw badShape("Loop must have at least 3 different vertices");
    if (first![0] !== last![0] || first![1] !== last![1])
      throw badShape(`Polygon loop is not closed: ${describeValue(ring)}`);
    return points;
  });
}

/** Reads a GeoJSON object. @throws ServerError BadValue */
export function readGeoJson(value: Value): Geometry {
  if (!(value instanceof Map)) throw badShape(`unknown GeoJSON: ${describeValue(value)}`);
  const coordinates = value.get("coordinates");
  const geometry = empty();
  const each = (read: (part: Value) => void): void => {
    if (!Array.isArray(coordinates))
      throw badShape(`GeoJSON coordinates must be an array: ${describeValue(value)}`);
    coordinates.forEach(read);
  };
  switch (value.get("type")) {
    case "Point": {
      const point = readPoint(coordinates);
      if (point === undefined)
        throw badShape(`Point must only contain numeric elements: ${describeValue(value)}`);
      geometry.points.push(point);
      return geometry;
    }
    case "MultiPoint":
      geometry.points.push(...readPoints(coordinates));
      return geometry;
    case "LineString":
      geometry.lines.push(readPoints(coordinates));
      return geometry;
    case "MultiLineString":
      each((line) => geometry.lines.push(readPoints(line)));
      return geometry;
    case "Polygon":
      geometry.polygons.push(rings(coordinates));
      return geometry;
    case "MultiPolygon":
      each((polygon) => geometry.polygons.push(rings(polygon)));
      return geometry;
    case "GeometryCollection":
      for (const part of (value.get("geometries") ?? []) as Value[]) merge(geometry, readGeoJson(part));
      return geometry;
    default:
      throw badShape(`unknown GeoJSON: ${describeValue(value)}`);
  }
}

function merge(into: Geometry, other: Geometry): void {
  into.points.push(...other.points);
  into.lines.push(...other.lines);
  into.polygons.push(...other.polygons);
}

/** What a stored value stands for; undefined when it is no place. */
export function storedGeometry(value: Value): Geometry | undefined {
  try {
    if (value instanceof Map && value.has("type")) return readGeoJson(value);
  } catch (error) {
    if (error instanceof ServerError) return undefined;
    throw error;
  }
  const point = readPoint(value);
  if (point !== undefined) return { ...empty(), points: [point] };
  return undefined;
}

/** Whether a point lies in a ring or on its border. */
function inRing([x, y]: Point, ring: Point[]): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [ax, ay] = ring[i]!;
    const [bx, by] = ring[j]!;
    if (onSegment([x, y], [ax, ay], [bx, by])) return true;
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
  }
  return inside;
}

function onSegment([x, y]: Point, [ax, ay]: Point, [bx, by]: Point): boolean {
  const cross = (bx - ax) * (y - ay) - (by - ay) * (x - ax);
  return (
    cross === 0 &&
    x >= Math.min(ax, bx) &&
    x <= Math.max(ax, bx) &&
    y >= Math.min(ay, by) &&
    y <= Math.max(ay, by)
  );
}

export function inPolygon(point: Point, [outline, ...holes]: Point[][]): boolean {
  return outline !== undefined && inRing(point, outline) && !holes.some((hole) => inRing(point, hole));
}

function segmentsCross(a: Point, b: Point, c: Point, d: Point): boolean {
  const side = (p: Point, q: Point, r: Point) =>
    Math.sign((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  if (side(a, b, c) !== side(a, b, d) && side(c, d, a) !== side(c, d, b)) return true;
  return onSegment(c, a, b) || onSegment(d, a, b) || onSegment(a, c, d) || onSegment(b, c, d);
}

function pathsOf({ lines, polygons }: Geometry): Point[][] {
  return [...lines, ...polygons.flat()];
}

/** All corner points of a geometry. */
export function cornersOf(geometry: Geometry): Point[] {
  return [...geometry.points, ...pathsOf(geometry).flat()];
}

function covers(geometry: Geometry, point: Point): boolean {
  return (
    geometry.points.some(([x, y]) => x === point[0] && y === point[1]) ||
    geometry.polygons.some((polygon) => inPolygon(point, polygon)) ||
    geometry.lines.some((line) => line.some((corner, i) => i > 0 && onSegment(point, line[i - 1]!, corner)))
  );
}

/** Whether two geometries share a point, on a plane of longitude and latitude. */
export function intersects(a: Geometry, b: Geometry): boolean {
  if (cornersOf(a).some((point) => covers(b, point)) || cornersOf(b).some((point) => covers(a, point)))
    return true;
  return pathsOf(a).some((left) =>
    pathsOf(b).some((right) =>
      left.some(
        (p, i) => i > 0 && right.some((q, j) => j > 0 && segmentsCross(left[i - 1]!, p, right[j - 1]!, q)),
      ),
    ),
  );
}

/** Angle between two places on a sphere, in radians (longitude and latitude in degrees). */
export function sphericalDistance([lon1, lat1]: Point, [lon2, lat2]: Point): number {
  const radians = Math.PI / 180;
  const [phi1, phi2] = [lat1 * radians, lat2 * radians];
  const half =
    Math.sin((phi2 - phi1) / 2) ** 2 +
    Math.cos(phi1) * Math.cos(phi2) * Math.sin(((lon2 - lon1) * radians) / 2) ** 2;
  return 2 * Math.asin(Math.min(1, Math.sqrt(half)));
}
