import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pageOf } from "./page.ts";

const secondsMax = 60;
const width = 900;
const heightMax = 4000;
/** Of virtual time: Chromium ends when the page has nothing more to do, or then. */
const drawingMs = 20_000;

/** What a page was when it had drawn itself. */
export interface Drawn {
  readonly html: string;
  readonly height: number;
}

/** Where Chromium is; Debian's package has the first name. */
function chromium(): string | undefined {
  return ["chromium", "chromium-browser", "google-chrome"].find((name) => Bun.which(name));
}

/** Draws Markdown in headless Chromium, without network; with `file`, keeps a PNG of it. Fails when it can't be drawn. */
export async function draw(markdown: string, file?: string): Promise<Drawn> {
  const folder = mkdtempSync(join(tmpdir(), "picture-"));
  try {
    const page = join(folder, "page.html");
    writeFileSync(page, pageOf(markdown));
    const html = await run(folder, ["--dump-dom", `file://${page}`]);
    const [, error] = /<html[^>]* data-error="([^"]*)"/.exec(html) ?? [];
    const [, height] = /<html[^>]* data-height="(\d+)"/.exec(html) ?? [];
    if (error !== undefined || height === undefined)
      throw new Error(`the page could not be drawn: ${error ?? "it never ended"}`);
    const drawn = { html, height: Number(height) };
    const size = `--window-size=${width},${Math.min(drawn.height, heightMax)}`;
    if (file !== undefined)
      await run(folder, ["--hide-scrollbars", size, `--screenshot=${file}`, `file://${page}`]);
    return drawn;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function run(folder: string, args: readonly string[]): Promise<string> {
  const program = chromium();
  if (program === undefined) throw new Error("no chromium: apt-get install --no-install-recommends chromium");
  const child = Bun.spawn(
    [
      program,
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--host-resolver-rules=MAP * ~NOTFOUND",
      `--user-data-dir=${join(folder, "profile")}`,
      `--virtual-time-budget=${drawingMs}`,
      ...args,
    ],
    { cwd: folder, stdout: "pipe", stderr: "pipe", timeout: secondsMax * 1000 },
  );
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) === 0) return out;
  throw new Error(`chromium ended with ${child.exitCode ?? child.signalCode}: ${err.slice(-500)}`);
}
