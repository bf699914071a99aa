import { spawnSync } from "node:child_process";

/** Seconds until a program that was interrupted is killed; the words to start it with. */
type Prefix = (killAfterSeconds: number) => string[];

/**
 * Ties a program to this process: when this process dies, by whatever signal, the program is interrupted once (SIGINT),
 * and killed when it hasn't ended by then. `setpriv` has the kernel send a signal when the parent is gone
 * (PR_SET_PDEATHSIG); `timeout` hands signals on and counts from the first one. Both are in every GNU/Linux. There are two
 * of each because the kernel sends that signal for each thread of the parent that its children outlive, and a second
 * interrupt makes Terraform drop what it is doing: the outer `timeout` has one thread, and dies once.
 */
const tied: Prefix = (killAfterSeconds) => [
  ...["setpriv", "--pdeathsig", "KILL", "timeout", "--foreground", "0"],
  ...["setpriv", "--pdeathsig", "INT", "timeout", "--foreground", `--kill-after=${killAfterSeconds}`],
  // No limit of its own before a signal.
  "0",
];

let known: { readonly prefix: Prefix | undefined } | undefined;

/** How to start a program that must not outlive this process by more than a bound; undefined where it can't be bound. */
export function lifeline(): Prefix | undefined {
  known ??= { prefix: works() ? tied : undefined };
  return known.prefix;
}

function works(): boolean {
  const [program = "", ...words] = [...tied(1), "true"];
  return spawnSync(program, words, { stdio: "ignore" }).status === 0;
}
