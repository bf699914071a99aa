/** What the ZooKeepers of a cluster say of themselves, by their four-letter words (4lw.commands.whitelist). */
import { connect } from "node:net";
import { type Brokers, brokersOf, modeOf, type ZookeeperMode } from "../../core/kafka/answers.ts";
import { type KafkaAddress, zookeeperPort } from "../../core/kafka/cluster.ts";

const answerMsMax = 5000;
const answerCharactersMax = 1_000_000;

export interface ZookeeperState {
  readonly id: number;
  /** Undefined while it has no majority, or doesn't answer. */
  readonly mode?: ZookeeperMode;
  /** In words, for a person. */
  readonly said: string;
}

/** Asks every node at once. One that doesn't answer is a state like any other. */
export function zookeeperStates(nodes: readonly KafkaAddress[]): Promise<ZookeeperState[]> {
  return Promise.all(
    nodes.map(async ({ id, privateIp }) => {
      try {
        const mode = modeOf(await fourLetters(privateIp, "srvr"));
        return mode ? { id, mode, said: mode } : { id, said: "no majority" };
      } catch (error) {
        return { id, said: `no answer (${(error as Error).message})` };
      }
    }),
  );
}

/** `1 follower, 2 leader, 3 no majority`. */
export function stateWords(states: readonly ZookeeperState[]): string {
  return states.map(({ id, said }) => `${id} ${said}`).join(", ");
}

/** The one that leads, unless there is none or, for a moment, two. */
export function leaderOf(states: readonly ZookeeperState[]): number | undefined {
  const leaders = states.filter(({ mode }) => mode === "leader");
  return leaders.length === 1 ? leaders[0]!.id : undefined;
}

/** The brokers that are registered now, as the first ZooKeeper that serves knows them; none where nobody does. */
export async function registeredBrokers(nodes: readonly KafkaAddress[]): Promise<Brokers> {
  for (const { privateIp } of nodes) {
    const dump = await fourLetters(privateIp, "dump").catch(() => undefined);
    // Without a majority it says that it doesn't serve.
    if (dump?.includes("Sessions with Ephemerals")) return brokersOf(dump);
  }
  return { ids: [] };
}

function fourLetters(host: string, word: "srvr" | "dump"): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: zookeeperPort });
    let answer = "";
    socket.setEncoding("utf8");
    socket.setTimeout(answerMsMax, () => socket.destroy(new Error(`nothing within ${answerMsMax} ms`)));
    socket.on("connect", () => socket.write(word));
    socket.on("data", (text: string) => {
      answer += text;
      if (answer.length > answerCharactersMax) socket.destroy(new Error("an answer without an end"));
    });
    socket.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code ? new Error(error.code, { cause: error }) : error),
    );
    socket.on("close", () => resolve(answer));
  });
}
