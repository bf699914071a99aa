/**
 * Objects of AWS services that the stand-in doesn't play: kept, shown and deleted, nothing more. Only the stand-in Terraform
 * provider talks to it. An API of the stand-in's own, signed and journalled as the others, so that faults reach it too.
 */
import type { Database } from "bun:sqlite";
import { type Input, requiredText } from "../input.ts";
import { AwsError, type JsonService, type Service, type ServiceContext } from "../service.ts";

interface StoredObject {
  readonly TypeName: string;
  readonly ObjectId: string;
  readonly Attributes: Record<string, unknown>;
}

class ObjectStore {
  constructor(private readonly db: Database) {
    db.run(
      "CREATE TABLE IF NOT EXISTS stored_objects (type TEXT, id TEXT, attributes TEXT NOT NULL, PRIMARY KEY (type, id))",
    );
  }

  find(TypeName: string, ObjectId: string): StoredObject | undefined {
    const row = this.db
      .query<{ attributes: string }, [string, string]>(
        "SELECT attributes FROM stored_objects WHERE type = ? AND id = ?",
      )
      .get(TypeName, ObjectId);
    return row
      ? { TypeName, ObjectId, Attributes: JSON.parse(row.attributes) as Record<string, unknown> }
      : undefined;
  }

  all(type: string): StoredObject[] {
    return this.db
      .query<{ id: string; attributes: string }, [string]>(
        "SELECT id, attributes FROM stored_objects WHERE type = ? ORDER BY id",
      )
      .all(type)
      .map(({ id, attributes }) => ({
        TypeName: type,
        ObjectId: id,
        Attributes: JSON.parse(attributes) as Record<string, unknown>,
      }));
  }

  save({ TypeName, ObjectId, Attributes }: StoredObject): void {
    this.db
      .query("INSERT OR REPLACE INTO stored_objects VALUES (?, ?, ?)")
      .run(TypeName, ObjectId, JSON.stringify(Attributes));
  }

  /** All of them or none. */
  saveAll(objects: readonly StoredObject[]): void {
    this.db.transaction(() => {
      for (const object of objects) this.save(object);
    })();
  }

  delete(type: string, id: string): void {
    this.db.run("DELETE FROM stored_objects WHERE type = ? AND id = ?", [type, id]);
  }
}

function read(input: Input): StoredObject {
  return {
    TypeName: requiredText(input, "TypeName"),
    ObjectId: requiredText(input, "ObjectId"),
    Attributes: (input.Attributes ?? {}) as Record<string, unknown>,
  };
}

/** Arguments in which no two objects of a type are the same, and AWS's answer to the second. */
interface Unique {
  readonly by: readonly string[];
  readonly code: string;
  readonly says: string;
}

function isSame(a: StoredObject, b: StoredObject, names: readonly string[]): boolean {
  return names.every((name) => JSON.stringify(a.Attributes[name]) === JSON.stringify(b.Attributes[name]));
}

export function create(): Service[] {
  let store: ObjectStore | undefined;
  const existing = (input: Input): StoredObject => {
    const { TypeName, ObjectId } = read(input);
    const found = store!.find(TypeName, ObjectId);
    if (!found) throw new AwsError("ResourceNotFoundException", `no ${TypeName} ${ObjectId}`, 404);
    return found;
  };
  const service: JsonService = {
    kind: "json",
    name: "stored-objects",
    targetPrefix: "StoredObjects",
    operations: {
      CreateObject: (input) => {
        const wanted = read(input);
        const unique = input.Unique as Unique | undefined;
        if (unique && store!.all(wanted.TypeName).some((other) => isSame(other, wanted, unique.by)))
          throw new AwsError(unique.code, unique.says);
        if (input.Replace !== true && store!.find(wanted.TypeName, wanted.ObjectId))
          throw new AwsError(
            "ResourceAlreadyExistsException",
            `${wanted.TypeName} ${wanted.ObjectId} already exists`,
            409,
          );
        store!.saveAll([wanted, ...((input.Along ?? []) as StoredObject[])]);
        return wanted;
      },
      GetObject: (input) => existing(input),
      UpdateObject: (input) => {
        const { Attributes, ...rest } = existing(input);
        const updated = { ...rest, Attributes: { ...Attributes, ...read(input).Attributes } };
        store!.save(updated);
        return updated;
      },
      DeleteObject: (input) => {
        const { TypeName, ObjectId } = existing(input);
        store!.delete(TypeName, ObjectId);
        for (const { type, by } of (input.Owned ?? []) as { type: string; by: string }[])
          for (const owned of store!.all(type))
            if (owned.Attributes[by] === ObjectId) store!.delete(type, owned.ObjectId);
        return {};
      },
      ListObjects: (input) => ({ Objects: store!.all(requiredText(input, "TypeName")) }),
    },
    start({ db }: ServiceContext) {
      store = new ObjectStore(db);
    },
  };
  return [service];
}
