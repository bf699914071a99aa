import {
  addUsers,
  emptyRolesRecord,
  type RecordedUser,
  type RolesRecord,
} from "../../core/access/roles-record.ts";
import { keysOf } from "../../core/failback/layout.ts";
import type { ObjectStore } from "../../core/ports.ts";
import { isPrecondition } from "../store-error.ts";
import { readJson, writeJson } from "./json.ts";

const casTriesMax = 5;

/** `roles.json`: written before a role is changed, so that a kill in between can't lose the way back. */
export class RolesStore {
  constructor(
    private readonly store: ObjectStore,
    private readonly failbackId: string,
  ) {}

  async read(): Promise<RolesRecord> {
    return (await readJson<RolesRecord>(this.store, this.key))?.value ?? emptyRolesRecord(this.failbackId);
  }

  /** Keeps the roles of users seen for the first time; a rerun changes nothing. */
  async add(users: readonly RecordedUser[]): Promise<RolesRecord> {
    return this.change((record) => addUsers(record, users));
  }

  /** Notes a grant of write rights, which makes the fences up to `fencesBefore` void. */
  async grant(grant: RolesRecord["grants"][number]): Promise<RolesRecord> {
    return this.change((record) => {
      const last = record.grants.at(-1);
      const known = last?.fencesBefore === grant.fencesBefore && last.allowRemove === grant.allowRemove;
      return known ? record : { ...record, grants: [...record.grants, grant] };
    });
  }

  private get key(): string {
    return keysOf(this.failbackId).roles;
  }

  private async change(edit: (record: RolesRecord) => RolesRecord): Promise<RolesRecord> {
    for (let attempt = 1; ; attempt++) {
      const found = await readJson<RolesRecord>(this.store, this.key);
      const record = found?.value ?? emptyRolesRecord(this.failbackId);
      const next = edit(record);
      if (next === record) return record;
      try {
        await writeJson(this.store, this.key, next, found ? { ifMatch: found.etag } : { ifNoneMatch: true });
        return next;
      } catch (error) {
        if (!isPrecondition(error) || attempt === casTriesMax) throw error;
      }
    }
  }
}
