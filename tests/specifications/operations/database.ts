/** Operations on databases and clients. */
import type { Db, MongoClient } from "mongodb";
import { started } from "./cursor.ts";
import type { Table } from "./table.ts";

export const databaseOperations: Table<Db> = {
  aggregate: (database, { pipeline, ...options }) => database.aggregate(pipeline, options).toArray(),
  createChangeStream: (database, { pipeline, ...options }) => started(database.watch(pipeline, options)),
  createCollection: (database, { collection, ...options }) => database.createCollection(collection, options),
  createCommandCursor: (database, { command, ...options }) =>
    started(database.runCursorCommand(command, options)),
  dropCollection: (database, { collection, ...options }) => database.dropCollection(collection, options),
  listCollectionNames: async (database, { filter, ...options }) => {
    const found = await database.listCollections(filter ?? {}, { ...options, nameOnly: true }).toArray();
    return found.map(({ name }) => name);
  },
  listCollections: (database, { filter, ...options }) =>
    database.listCollections(filter ?? {}, options).toArray(),
  modifyCollection: (database, { collection, session, ...options }) =>
    database.command({ collMod: collection, ...options }, { session }),
  runCommand: (database, { command, commandName: _, ...options }) => database.command(command, options),
  runCursorCommand: (database, { command, commandName: _, ...options }) =>
    database.runCursorCommand(command, options).toArray(),
};

export const clientOperations: Table<MongoClient> = {
  clientBulkWrite: (client, { models, ...options }) => client.bulkWrite(models, options),
  close: (client) => client.close(),
  createChangeStream: (client, { pipeline, ...options }) => started(client.watch(pipeline, options)),
  listDatabaseNames: async (client, options) => {
    const { databases } = await client
      .db()
      .admin()
      .listDatabases({ ...options, nameOnly: true });
    return databases.map(({ name }) => name);
  },
  listDatabases: async (client, options) => (await client.db().admin().listDatabases(options)).databases,
};
