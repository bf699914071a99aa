import { preflightKey } from "../../core/failback/layout.ts";
import type { Fact, HostFacts, SecretFacts } from "../../core/preflight/model.ts";
import { readDocumentdb } from "../preflight/documentdb.ts";
import { fact } from "../preflight/fact.ts";
import { readMongodb } from "../preflight/mongodb.ts";
import { type Action, type ActionContext, passed } from "./action.ts";
import { keepDocument } from "./keep-document.ts";

/** All is read within this time, so that the answer is in the bucket before SSM ends the command. */
const readingMsMax = 200_000;

/**
 * Reads what only the host can see of an environment (secrets, both databases, its way to EC2) and leaves the facts in
 * the bucket; `roundtrip preflight` judges them. It only looks: what can't be read says why in its place.
 */
export const run: Action = async (context) => {
  const { service } = context;
  const takenAt = service.clock.now();
  const deadline = AbortSignal.any([service.signal, AbortSignal.timeout(readingMsMax)]);
  const [ec2, secrets, mongodb, documentdb] = await Promise.all([
    readEc2(context),
    readSecrets(context),
    fact(() => readMongodb(context, deadline)),
    fact(() => readDocumentdb(context)),
  ]);
  const facts: HostFacts = {
    version: 1,
    environment: service.environment.environment,
    takenAt: takenAt.toISOString(),
    ec2,
    secrets,
    mongodb,
    documentdb,
  };
  const data = await keepDocument(service.store, preflightKey(takenAt, service.run), facts);
  return { checks: [passed("facts for preflight", "kept in the bucket", data.key)], data };
};

function readEc2({ service, instances }: ActionContext): Promise<Fact<string>> {
  const { instanceId } = service.environment;
  return fact(async () => {
    if (!instances) throw new Error("this program was started without a way to EC2");
    return `failback host ${instanceId} is ${await instances.state(instanceId)}`;
  });
}

async function readSecrets({ service }: ActionContext): Promise<SecretFacts[]> {
  const { documentdb, mongodb } = service.environment;
  const users = [documentdb.replicationUser, ...documentdb.applicationUsers, ...documentdb.otherWriters];
  const wanted = [
    { name: mongodb.secret, use: "Roundtrip on MongoDB", address: true },
    { name: documentdb.secret, use: "Roundtrip on DocumentDB", address: true },
    ...users.map(({ name, secret }) => ({ name: secret, use: `user ${name} on DocumentDB`, address: false })),
  ];
  return Promise.all(
    wanted.map(async (each) => ({
      ...each,
      fields: await fact(async () => Object.keys(filled(await service.secrets.get(each.name))).sort()),
    })),
  );
}

function filled(secret: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(secret).filter(([, value]) => value !== ""));
}
