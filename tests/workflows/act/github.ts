/** GitHub's API as a process of its own, with one repository, the workflows' token and a person's. */
import { randomBytes } from "node:crypto";
import { StandIn } from "../../../sandbox/up/stand-in.ts";

/** What the workflows grant, all together: act doesn't keep jobs apart, each job's own grant is tested in scripts/github. */
const granted = { issues: "write", "pull-requests": "write", actions: "read" };

export class GitHub implements AsyncDisposable {
  readonly repository = "acme/data";
  readonly token = `ghs_${randomBytes(18).toString("hex")}`;

  private constructor(private readonly process: StandIn<{ url: string }>) {}

  static async start(dir: string): Promise<GitHub> {
    const parameters = ["--dir", dir, "--port", "0"];
    const options = { name: "github", script: "github/main.ts", parameters, logFile: `${dir}.log` };
    const github = new GitHub(await StandIn.start<{ url: string }>(options));
    const login = { login: "github-actions[bot]", type: "Bot" };
    await github.seed({
      repositories: [{ full_name: github.repository }],
      tokens: [{ token: github.token, ...login, permissions: granted }],
    });
    return github;
  }

  get url(): string {
    return this.process.ready.url;
  }

  async seed(seeds: object): Promise<void> {
    const answer = await fetch(`${this.url}/_sandbox/seed`, { method: "POST", body: JSON.stringify(seeds) });
    if (!answer.ok) throw new Error(`seed: ${answer.status} ${await answer.text()}`);
  }

  /** Texts of the comments of an issue or pull request, oldest first. */
  async comments(number: number): Promise<string[]> {
    const found = (await this.ask(`issues/${number}/comments`)) as { body: string }[];
    return found.map(({ body }) => body);
  }

  /** A comment by the workflows' own login. */
  async comment(number: number, body: string): Promise<void> {
    await this.ask(`issues/${number}/comments`, { method: "POST", body: JSON.stringify({ body }) });
  }

  async issues(): Promise<
    { number: number; title: string; state: string; body: string; pull_request?: object }[]
  > {
    return (await this.ask("issues?state=all")) as Awaited<ReturnType<GitHub["issues"]>>;
  }

  private async ask(path: string, request: RequestInit = {}): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.token}` };
    const answer = await fetch(`${this.url}/repos/${this.repository}/${path}`, { ...request, headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.stop();
  }
}
