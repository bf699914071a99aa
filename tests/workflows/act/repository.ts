/** The project on a "GitHub" of this machine: a bare repository with the refs that GitHub makes for pull requests. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const root = join(import.meta.dirname, "../../..");
/** What no workflow may need: programs come from the product alone. */
const leftOut = /^(tests|sandbox|benchmarks|changelog)\//;

/** Path to content; undefined removes the file. */
export type Changes = Readonly<Record<string, string | undefined>>;

export interface Pull {
  readonly number: number;
  readonly base: string;
  readonly head: string;
  /** GitHub's test merge, what the event's GITHUB_SHA is. */
  readonly merge: string;
}

export class ProjectRepository {
  private pulls = 0;

  private constructor(
    /** The bare repository, as jobs fetch from it. */
    readonly origin: string,
    private readonly work: string,
    /** What `act` is started in: the workflow of the event's commit. */
    readonly runner: string,
  ) {}

  /** The working tree's files with these changes as the first commit of main. */
  static create(folder: string, changes: Changes): ProjectRepository {
    const [origin, work, runner] = ["origin.git", "work", "runner"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    mkdirSync(folder, { recursive: true });
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main", origin);
    // As GitHub: any commit that is there can be fetched by its name.
    git(origin, "config", "uploadpack.allowAnySHA1InWant", "true");
    git(folder, "clone", "--quiet", origin, work);
    for (const path of projectFiles()) cpSync(join(root, path), join(work, path), { recursive: true });
    const repository = new ProjectRepository(`file://${origin}`, work, runner);
    repository.write(changes);
    repository.save("the project");
    git(work, "push", "--quiet", "origin", "HEAD:refs/heads/main");
    git(folder, "clone", "--quiet", origin, runner);
    return repository;
  }

  get main(): string {
    return git(this.work, "rev-parse", "refs/remotes/origin/main");
  }

  /** A pull request of these changes against main: its branch, and GitHub's two refs. */
  open(changes: Changes): Pull {
    const number = ++this.pulls;
    const base = this.main;
    git(this.work, "checkout", "--quiet", "-B", `change-${number}`, base);
    this.write(changes);
    this.save(`change ${number}`);
    const head = git(this.work, "rev-parse", "HEAD");
    git(this.work, "checkout", "--quiet", "--detach", base);
    git(this.work, "merge", "--quiet", "--no-ff", "-m", `Merge ${head} into ${base}`, head);
    const merge = git(this.work, "rev-parse", "HEAD");
    const pull = `refs/pull/${number}`;
    git(this.work, "push", "--quiet", "origin", `${head}:${pull}/head`, `${merge}:${pull}/merge`);
    return { number, base, head, merge };
  }

  /** Squashes a pull request onto main; gives the new commit. */
  merge({ number, head }: Pull): string {
    git(this.work, "checkout", "--quiet", "-B", "main", this.main);
    git(this.work, "merge", "--quiet", "--squash", head);
    this.save(`change ${number} (#${number})`);
    git(this.work, "push", "--quiet", "origin", "HEAD:refs/heads/main");
    return this.main;
  }

  /**
   * The runner's checkout of a commit, its workflows with these changes. Only `act` reads them there: `queue: max` goes,
   * because act 0.2.89 refuses GitHub's newest syntax. Jobs check out the commit as it is.
   */
  checkout(commit: string, changes: Changes = {}): void {
    git(this.runner, "fetch", "--quiet", "origin", commit);
    git(this.runner, "checkout", "--quiet", "--force", "--detach", "FETCH_HEAD");
    git(this.runner, "clean", "--quiet", "-fd");
    const folder = join(this.runner, ".github/workflows");
    for (const name of readdirSync(folder)) {
      const text = readFileSync(join(folder, name), "utf8");
      writeFileSync(join(folder, name), text.replace(/^ +queue: max\n/gm, ""));
    }
    for (const [path, content = ""] of Object.entries(changes))
      writeFileSync(join(this.runner, path), content);
  }

  private write(changes: Changes): void {
    for (const [path, content] of Object.entries(changes)) {
      const file = join(this.work, path);
      if (content === undefined) rmSync(file, { recursive: true });
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
    }
  }

  private save(message: string): void {
    git(this.work, "add", "--all");
    git(this.work, "commit", "--quiet", "-m", message);
  }
}

/** Also what isn't committed yet: the workflows of the working tree are what is tried. */
function projectFiles(): string[] {
  const listed = git(root, "ls-files", "--cached", "--others", "--exclude-standard").split("\n");
  return [...new Set(listed)].filter((path) => !leftOut.test(path) && existsSync(join(root, path)));
}

function git(cwd: string, ...args: string[]): string {
  const identity = [
    "-c",
    "user.name=ana",
    "-c",
    "user.email=ana@example.com",
    "-c",
    "protocol.file.allow=always",
  ];
  return execFileSync("git", [...identity, ...args], {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}
