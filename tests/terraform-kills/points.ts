/** The passes of the sweep, and the points of death in each. */
import { type Death, stateBucket, stateKey } from "./stack.ts";
import { type Survived, survive, surviveIn } from "./survive.ts";
import { type Recording, record, type World } from "./worlds.ts";

export interface Point {
  readonly name: string;
  run(): Promise<Survived>;
}

export interface Pass {
  readonly name: string;
  /** Records an apply below the folder. */
  points(folder: string): Promise<{ says: string; points: Point[] }>;
}

/** An answer of AWS that late makes Terraform save its state some times on the way, as it does over the minutes of a real apply. */
const slowMs = 1500;

const saveName = `s3 PutObject ${stateBucket}/${stateKey}`;

export const passes: readonly Pass[] = [
  {
    // Terraform and its providers, at any request. An apply this short saves its state once, at its end.
    name: "terraform",
    async points(folder) {
      const recording = await record(folder);
      return { says: saysOf(recording), points: recording.worlds.map((world) => pointIn(world, recording)) };
    },
  },
  {
    // Some of it saved, some not, every other world of these: what was made before the first save the first pass has seen.
    name: "terraform-saving",
    async points(folder) {
      const recording = await record(folder, slowMs);
      const saved = recording.worlds.findIndex(({ moments }) => moments[0]?.startsWith(`after ${saveName}`));
      const worlds = recording.worlds.filter((_, index) => index >= saved && (index - saved) % 2 === 0);
      return { says: saysOf(recording), points: worlds.map((world) => pointIn(world, recording)) };
    },
  },
  {
    // What started Terraform: that is interrupted, ends what is under way, and saves.
    name: "parent",
    async points(folder) {
      const recording = await record(folder);
      const points = deathsOf(recording, "parent", ["before"]).map((death) => pointOf(death, recording));
      return { says: saysOf(recording), points };
    },
  },
  {
    // The first pass without its shortcut, at every fourth request that changes something: really killed, before or after it.
    name: "terraform-signalled",
    async points(folder) {
      const recording = await record(folder);
      const deaths = [lastSave, ...deathsOf(recording, "terraform", ["before", "after"])];
      const points = deaths.filter((_, index) => index % 8 === 0).map((each) => pointOf(each, recording));
      return { says: saysOf(recording), points };
    },
  },
];

/** Everything is made and nothing is written down: the last look at the state, before it is saved. */
export const lastSave: Death = {
  service: "s3",
  operation: "PutObject",
  keyPattern: `^${stateBucket}/${stateKey.replace(".", "\\.")}$`,
  nth: 1,
  when: "before",
  victim: "terraform",
};

/** A death at each request that changes something: between two of them AWS stays as it is. */
export function deathsOf(
  { requests }: Recording,
  victim: Death["victim"],
  moments: readonly Death["when"][],
): Death[] {
  return requests
    .filter(({ operation }) => !/^(Get|Describe|List|Head)/.test(operation))
    .flatMap(({ service, operation, keyPattern, nth }) =>
      moments.map((when) => ({ service, operation, keyPattern, nth, when, victim })),
    );
}

export function pointOf(death: Death, recording: Recording): Point {
  const { victim, when, service, operation, keyPattern, nth } = death;
  const name = `${victim} killed ${when} ${service} ${operation} ${keyPattern} #${nth}`;
  return { name, run: () => survive(death, recording) };
}

export function pointIn(world: World, recording: Recording): Point {
  const [first = "", ...more] = world.moments;
  const name = more.length > 0 ? `${first} (and ${more.length} moments more)` : first;
  return { name, run: () => surviveIn(world, recording) };
}

function saysOf({ requests, worlds }: Recording): string {
  const moments = worlds.reduce((sum, world) => sum + world.moments.length, 0);
  const saves = requests.filter(({ name }) => name.replace(/ #\d+$/, "") === saveName).length;
  return `${requests.length} requests, the state saved ${saves} time(s), ${moments} moments in ${worlds.length} worlds`;
}
