import type { TasksFile } from "../model.ts";
import { databaseBytesMax, endpointOf, quoted, reservedDatabases } from "../names.ts";
import type { Finding, PathPart } from "../problem.ts";

export function taskIdsOnce(file: TasksFile, report: (finding: Finding) => void): void {
  const first = new Map<string, number>();
  for (const [index, { id }] of file.tasks.entries()) {
    const other = first.get(id);
    if (other === undefined) first.set(id, index);
    else
      report({
        code: "duplicate-task",
        path: ["tasks", index, "id"],
        message: `${quoted(id)} is already the id of tasks[${other}]; expected an id of its own`,
        fix: `rename one of the two, or move its collections to tasks[${other}]`,
      });
  }
}

export function databaseNames(file: TasksFile, report: (finding: Finding) => void): void {
  for (const [index, { database }] of file.tasks.entries()) {
    const path = ["tasks", index, "database"];
    const bytes = Buffer.byteLength(database);
    if (reservedDatabases.includes(database.toLowerCase()))
      report({
        code: "reserved-database",
        path,
        message: `${quoted(database)} belongs to MongoDB or to Roundtrip; expected a database of an application`,
        fix: "remove the task",
      });
    else if (bytes > databaseBytesMax)
      report({
        code: "name-too-long",
        path,
        message: `${quoted(database)} has ${bytes} bytes; expected at most ${databaseBytesMax} (MongoDB refuses more)`,
        fix: "write the database's exact name",
      });
  }
}

export function databasesDifferByMoreThanCase(file: TasksFile, report: (finding: Finding) => void): void {
  const first = new Map<string, string>();
  for (const [index, { database }] of file.tasks.entries()) {
    const other = first.get(database.toLowerCase());
    if (other === undefined) first.set(database.toLowerCase(), database);
    else if (other !== database)
      report({
        code: "database-case",
        path: ["tasks", index, "database"],
        message: `${quoted(database)} differs from ${quoted(other)} by case alone; expected one spelling (MongoDB refuses two)`,
        fix: `write ${quoted(other)}, or correct the other`,
      });
  }
}

export function targetEndpoints(file: TasksFile, report: (finding: Finding) => void): void {
  const databases = new Set(file.tasks.map(({ database }) => database));
  for (const database of Object.keys(file.targetEndpoints ?? {}))
    if (!databases.has(database))
      report({
        code: "unused-endpoint",
        path: ["targetEndpoints", database],
        atKey: true,
        message: `${quoted(database)} is the database of no task; expected one of ${[...databases].slice(0, 10).join(", ")}`,
        fix: "remove the line, or correct the database",
      });
  const users = new Map<string, string>();
  for (const [index, { database }] of file.tasks.entries()) {
    const endpoint = endpointOf(file, database).toLowerCase();
    const path: PathPart[] = Object.hasOwn(file.targetEndpoints ?? {}, database)
      ? ["targetEndpoints", database]
      : ["tasks", index, "database"];
    const other = users.get(endpoint);
    if (endpoint === "")
      report({
        code: "endpoint-id",
        path,
        message: `${quoted(database)} gives no endpoint identifier, it has no letter or digit; expected one DMS accepts`,
        fix: `name one: targetEndpoints: {${JSON.stringify(database)}: documentdb-…}`,
      });
    else if (other === undefined) users.set(endpoint, database);
    else if (other !== database && other.toLowerCase() !== database.toLowerCase()) {
      users.set(endpoint, database);
      report({
        code: "endpoint-conflict",
        path,
        message: `endpoint ${quoted(endpoint)} of ${quoted(database)} is already that of ${quoted(other)}; expected one endpoint a database`,
        fix: `name another: targetEndpoints: {${JSON.stringify(database)}: …}`,
      });
    }
  }
}
