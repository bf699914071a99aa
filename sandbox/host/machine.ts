import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAssignments, splitWords } from "./quoting.ts";
import { expandSpecifiers, parseUnitFile } from "./unit-file.ts";

const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const tree = [
  "etc/systemd/system",
  "opt",
  "var/lib/systemd/timers",
  "var/lib/amazon/ssm",
  "var/log/journal",
  "var/cache",
  "run/systemd",
  "run/credentials",
  "run/host",
  "usr/local/bin",
  "usr/bin",
  "tmp",
  "root",
];

/** What a machine keeps to itself; a test must never touch these of the machine it runs on. */
const ownTrees = /^\/(?:opt|var|run|root|srv|home)\//;

/** The machine's root folder and how paths of units lead into it. */
export class Machine {
  constructor(readonly root: string) {
    for (const folder of tree) mkdirSync(join(root, folder), { recursive: true });
  }

  at(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /**
   * Leads a path of a unit into the machine: always below the trees that are its own, elsewhere (`/etc`, `/usr`)
   * when it exists inside; else it is the path of the real machine, whose programs are used.
   */
  map(path: string): string {
    if (!path.startsWith("/") || path === "/" || path.startsWith(`${this.root}/`)) return path;
    const inside = join(this.root, path);
    return ownTrees.test(path) || existsSync(inside) ? inside : path;
  }

  /** Maps each folder of a PATH; the real machine's programs stay behind the ones inside. */
  mapSearchPath(path: string): string {
    return path
      .split(":")
      .flatMap((folder) => (this.map(folder) === folder ? [folder] : [this.map(folder), folder]))
      .join(":");
  }

  /** Maps the absolute paths in a script; the rest of the text stays as it is. */
  mapText(text: string): string {
    return text.replace(/(?<![\w./$}~-])\/(?:opt|etc|var|run|usr|root|srv)\/[\w./@-]+/g, (path) =>
      this.map(path),
    );
  }

  /** What every process of this machine starts with: PATH and the manager's DefaultEnvironment= (systemd-system.conf(5)). */
  baseEnvironment(): Record<string, string> {
    return {
      ...this.#defaultEnvironment(),
      PATH: `${this.at("usr/local/bin")}:${systemPath}`,
      LANG: "C.UTF-8",
    };
  }

  #defaultEnvironment(): Record<string, string> {
    const path = this.at("etc/systemd/system.conf");
    if (!existsSync(path)) return {};
    const words = parseUnitFile(readFileSync(path, "utf8"))
      .filter(({ section, key }) => section === "Manager" && key === "DefaultEnvironment")
      .flatMap(({ value }) => splitWords(expandSpecifiers(value, {})));
    return parseAssignments(words, () => {});
  }
}
