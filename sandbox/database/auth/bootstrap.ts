/** What a new data folder gets: the first user and the documents tools look for. */
import { type Document, Int32, type Value } from "../engine/value.ts";
import type { Server } from "../server/server.ts";
import { put, readById } from "../storage/internal.ts";
import { USERS } from "./roles.ts";
import { newUser } from "./user-documents.ts";

/** Makes the admin user on first start; later starts keep users as they are. */
export function ensureAdmin(server: Server): void {
  const { adminUser, adminPassword, serverVersion } = server.options;
  const known = readById(server.storage, "admin.system.version", "authSchema");
  if (known) return;
  const user = newUser(
    "admin",
    adminUser,
    adminPassword,
    [{ role: "root", db: "admin" }],
    ["SCRAM-SHA-1", "SCRAM-SHA-256"],
  );
  const compatibility: Document = new Map<string, Value>([
    ["_id", "featureCompatibilityVersion"],
    ["version", serverVersion.split(".").slice(0, 2).join(".")],
  ]);
  const schema: Document = new Map<string, Value>([
    ["_id", "authSchema"],
    ["currentVersion", new Int32(5)],
  ]);
  server.storage.write((unit) => {
    put(unit, "admin.system.version", compatibility);
    put(unit, USERS, user);
    put(unit, "admin.system.version", schema);
  });
}
