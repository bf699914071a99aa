/** Operations on databases and clients. */
import type { AnyClientBulkWriteModel, Db, Document, MongoClient } from "mongodb";
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
  runCursorCommand: (database, { command, commandName: _, maxTimeMS, batchSize, comment, ...options }) => {
    const cursor = database.runCursorCommand(command, options);
    if (maxTimeMS !== undefined) cursor.setMaxTimeMS(maxTimeMS);
    if (batchSize !== undefined) cursor.setBatchSize(batchSize);
    if (comment !== undefined) cursor.setComment(comment);
    return cursor.toArray();
  },
};

/** The cases write `{insertOne: {…}}`, the driver wants `{name: "insertOne", …}`. */
function namedModel(model: Document): AnyClientBulkWriteModel<Document> {
  const [name, parameters] = Object.entries(model)[0] as [string, Document];
  return { name, ...parameters } as AnyClientBulkWriteModel<Document>;
}

export const clientOperations: Table<MongoClient> = {
  clientBulkWrite: (client, { models, ...options }) => client.bulkWrite(models.map(namedModel), options),
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
