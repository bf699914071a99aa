import { type Document, type MongoClient, MongoServerError } from "mongodb";
import type { AccessControl } from "../../core/access/ports.ts";
import type { CustomRole, Principal, Privilege, RoleReference } from "../../core/access/principal.ts";
import { mongoFailure, type Subject } from "./failure.ts";
import { parseOperation, relevantOperations } from "./running-operations.ts";

const roleNotFound = 31;
const roleAlreadyExists = new Set([51002, 11000]);

export interface AccessControlOptions {
  /**
   * `admin` on DocumentDB, whose users all live there and whose `usersInfo` knows no `forAllDBs`;
   * `all` on MongoDB, where every database may have users of its own.
   */
  readonly usersIn: "admin" | "all";
  /** For messages: the server and the secret of the connection. */
  readonly subject: Subject;
}

/** AccessControl over an administrator's connection. Fails `denied` when the administrator lacks a privilege. */
export function createAccessControl(client: MongoClient, options: AccessControlOptions): AccessControl {
  const command = async (database: string, body: Document, what: string): Promise<Document> => {
    try {
      return await client.db(database).command(body);
    } catch (error) {
      throw mongoFailure(error, { ...options.subject, what: `${what}: ${options.subject.what}` });
    }
  };
  const everywhere = options.usersIn === "all" ? { forAllDBs: true } : 1;
  return {
    async principals() {
      const reply = await command("admin", { usersInfo: everywhere }, "list users");
      return (reply.users as Document[]).map(principalOf);
    },
    async customRoles() {
      const databases = options.usersIn === "all" ? await databaseNames(command) : ["admin"];
      const roles: CustomRole[] = [];
      for (const database of databases) {
        const body = { rolesInfo: 1, showPrivileges: true, showBuiltinRoles: false };
        const reply = await command(database, body, "list custom roles");
        roles.push(
          ...(reply.roles as Document[]).filter((role) => role.isBuiltin !== true).map(customRoleOf),
        );
      }
      return roles;
    },
    async setRoles({ user, db }, roles) {
      await command(
        db,
        { updateUser: user, roles: roles.map(plainRole) },
        `change the roles of user ${user}`,
      );
    },
    async putRole(name, privileges) {
      const body = { privileges: privileges.map(plainPrivilege), roles: [] };
      try {
        await client.db("admin").command({ createRole: name, ...body });
      } catch (error) {
        if (!isRoleThere(error)) {
          throw mongoFailure(error, {
            ...options.subject,
            what: `create role ${name}: ${options.subject.what}`,
          });
        }
        await command("admin", { updateRole: name, ...body }, `change role ${name}`);
      }
    },
    async dropRole(name) {
      try {
        await client.db("admin").command({ dropRole: name });
      } catch (error) {
        if (error instanceof MongoServerError && error.code === roleNotFound) return;
        throw mongoFailure(error, { ...options.subject, what: `drop role ${name}: ${options.subject.what}` });
      }
    },
    async running(users, databases) {
      const reply = await command("admin", { currentOp: 1, $all: true }, "list running operations");
      return relevantOperations((reply.inprog as Document[]).map(parseOperation), users, databases);
    },
    async kill({ id }) {
      await command("admin", { killOp: 1, op: id }, `kill operation ${id}`);
    },
  };
}

async function databaseNames(
  command: (database: string, body: Document, what: string) => Promise<Document>,
): Promise<string[]> {
  const reply = await command("admin", { listDatabases: 1, nameOnly: true }, "list databases");
  return (reply.databases as Document[]).map(({ name }) => String(name)).filter((name) => name !== "local");
}

function isRoleThere(error: unknown): boolean {
  return (
    error instanceof MongoServerError &&
    (roleAlreadyExists.has(Number(error.code)) || /already exists/i.test(error.message))
  );
}

function plainRole({ role, db }: RoleReference): Document {
  return { role, db };
}

function plainPrivilege({ resource, actions }: Privilege): Document {
  return { resource: { ...resource }, actions: [...actions] };
}

function principalOf(user: Document): Principal {
  return { user: String(user.user), db: String(user.db ?? "admin"), roles: rolesOf(user.roles) };
}

function rolesOf(roles: unknown): RoleReference[] {
  return ((roles ?? []) as Document[]).map((role) => ({
    role: String(role.role),
    db: String(role.db ?? "admin"),
  }));
}

function customRoleOf(role: Document): CustomRole {
  const privileges = role.privileges as Privilege[] | undefined;
  return {
    role: String(role.role),
    db: String(role.db ?? "admin"),
    roles: rolesOf(role.roles),
    ...(privileges ? { privileges } : {}),
  };
}
