import { type Fact, fact } from "../../core/readiness/model.ts";
import type { ActionContext } from "../actions/action.ts";
import { findOut, together } from "./facts.ts";

/** Every secret a failback reads: it is there, and of a user it names that user. Values are never looked at. */
export async function secretFacts({ service }: ActionContext): Promise<readonly Fact[]> {
  const { documentdb, mongodb } = service.environment;
  const users = [...documentdb.applicationUsers, ...documentdb.otherWriters];
  const wanted = new Map<string, string | undefined>([
    [documentdb.secret, undefined],
    [mongodb.secret, undefined],
    // A rotation gives this one another user.
    [documentdb.replicationUser.secret, undefined],
    ...users.map(({ secret, name }) => [secret, name] as const),
  ]);
  const facts: Fact[] = [];
  for (const [secret, user] of wanted) {
    const limit = user === undefined ? "can be read" : `can be read, and is of user ${user}`;
    facts.push(
      ...(await findOut(
        `secret ${secret}`,
        limit,
        async () => {
          const { username, password, uri } = await service.secrets.get(secret);
          const usable = Boolean(password || uri);
          const other = user !== undefined && username !== undefined && username !== user;
          return fact(`secret ${secret}`, usable && !other, {
            limit,
            value: other ? `is of user ${username}` : usable ? "there" : "neither password nor uri in it",
            wayOut:
              "give the secret the user's username and password, or correct its name in the environment's tfvars",
          });
        },
        ["denied", "configuration"],
      )),
    );
  }
  return together("secrets", "can be read, and are of the users they should be of", facts);
}
