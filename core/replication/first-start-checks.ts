/** What must hold before DMS tasks are started for the first time. */
import { writingRoles } from "../access/write-access.ts";
import type { Check } from "../failback/documents.ts";
import type { Inspection, LiveSide } from "../live/live-state.ts";
import type { Task } from "../tasks/model.ts";

/** Both servers were read, DMS's user can write to every database, and no target collection holds a document. */
export function firstStartChecks(
  inspection: Inspection,
  tasks: readonly Pick<Task, "id" | "database" | "collections">[],
  username: string,
): Check[] {
  const { mongodb, documentdb } = inspection;
  const sides = [sideCheck("MongoDB", mongodb), sideCheck("DocumentDB", documentdb)];
  if (!mongodb.reachable || !documentdb.reachable) return sides;
  return [
    ...sides,
    userCheck(documentdb, tasks, username),
    ...tasks.map((task) => emptyCheck(documentdb, task)),
  ];
}

function sideCheck(name: string, side: LiveSide): Check {
  return {
    name: `${name} was read`,
    ok: side.reachable,
    expected: "its databases and users",
    got: side.reachable ? `version ${side.version}` : side.reason,
    ...(side.reachable
      ? {}
      : { wayOut: `see that ${name} answers the operations host, then run this again` }),
  };
}

function userCheck(
  { users }: Extract<LiveSide, { reachable: true }>,
  tasks: readonly Pick<Task, "database">[],
  username: string,
): Check {
  const found = users.find(({ name, db = "admin" }) => name === username && db === "admin");
  const databases = [...new Set(tasks.map(({ database }) => database))];
  const principal = { user: username, db: "admin", roles: found?.roles ?? [] };
  // A custom role is not explained here: it counts as one that can write.
  const missing = databases.filter((database) => writingRoles(principal, [], [database]).length === 0);
  const ok = found !== undefined && missing.length === 0;
  return {
    name: `DMS's user ${username} on DocumentDB`,
    ok,
    expected: `a user that writes to ${databases.join(", ")}`,
    got: !found ? "no such user" : missing.length > 0 ? `no role to write to ${missing.join(", ")}` : "there",
    ...(ok ? {} : { wayOut: "run apply: create-user-db makes the user with its roles" }),
  };
}

function emptyCheck(
  { databases }: Extract<LiveSide, { reachable: true }>,
  { id, database, collections }: Pick<Task, "id" | "database" | "collections">,
): Check {
  const there = databases.find(({ name }) => name === database)?.collections ?? [];
  const filled = collections.flatMap(({ name }) => {
    const found = there.find((collection) => collection.name === name);
    return found && found.documents > 0
      ? `${database}.${name} (${found.documents.toLocaleString("en-US")})`
      : [];
  });
  const ok = filled.length === 0;
  return {
    name: `target collections of task ${id}`,
    ok,
    expected: "empty, or not there yet",
    got: ok ? "empty or not there" : `documents in ${filled.join(", ")}`,
    ...(ok
      ? {}
      : {
          wayOut:
            "see where they come from. Empty these collections when nobody needs them; when they are a copy that DMS should go on from, the task was started before: see tasks-resume",
        }),
  };
}

/** Documents of the tasks' collections at the source, as the server counts them; undefined where it wasn't read. */
export function sourceDocuments(
  { mongodb }: Inspection,
  tasks: readonly Pick<Task, "database" | "collections">[],
): number | undefined {
  if (!mongodb.reachable) return undefined;
  return tasks.reduce((sum, { database, collections }) => {
    const there = mongodb.databases.find(({ name }) => name === database)?.collections ?? [];
    const wanted = there.filter(({ name }) => collections.some((collection) => collection.name === name));
    return sum + wanted.reduce((all, { documents }) => all + documents, 0);
  }, 0);
}
