import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAssignments, splitWords } from "./quoting.ts";
import { parseUnitFile } from "./unit-file.ts";

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

/** The machine's root folder and how paths of units lead into it. */
export class Machine {
  constructor(readonly root: string) {
    for (const folder of tree) mkdirSync(join(root, folder), { recursive: true });
  }

  at(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** `/etc/x` becomes `<root>/etc/x` when that exists, else it is the path of the real machine. */
  map(path: string): string {
    if (!path.startsWith("/") || path === "/" || path.startsWith(`${this.root}/`)) return path;
    const inside = join(this.root, path);
    return existsSync(inside) ? inside : path;
  }

  /** Maps the absolute paths in a script that exist below the root; the rest of the text stays as it is. */
  mapText(text: string): string {
    return text.replace(/(?<![\w./$}~-])\/(?:opt|etc|var|run|usr)\/[\w./@-]+/g, (path) => this.map(path));
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
      .flatMap(({ value }) => splitWords(value));
    return parseAssignments(words, () => {});
  }
}
