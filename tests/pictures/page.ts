import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What draws Markdown and Mermaid in the browser; packages of their own, because only pictures need them. */
export const drawingFolder = join(import.meta.dirname, "../../tools/pictures/node_modules");
const script = (path: string) => readFileSync(join(drawingFolder, path), "utf8");

/** As GitHub shows a summary or a comment, near enough to judge how it reads. */
const style = `
  body { margin: 0; padding: 24px; width: 900px; box-sizing: border-box; background: #fff; color: #1f2328;
         font: 14px/1.5 "DejaVu Sans", "Noto Sans", Helvetica, Arial, sans-serif; }
  h1, h2, h3 { line-height: 1.25; margin: 20px 0 12px; font-weight: 600; }
  h1, h2 { border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; }
  h1 { font-size: 24px; } h2 { font-size: 20px; } h3 { font-size: 17px; }
  body > *:first-child > :first-child { margin-top: 0; }
  table { border-collapse: collapse; margin: 0 0 14px; display: block; max-width: 100%; overflow: auto; }
  th, td { border: 1px solid #d1d9e0; padding: 5px 11px; }
  tr:nth-child(2n) td { background: #f6f8fa; }
  code, pre { font-family: "DejaVu Sans Mono", monospace; font-size: 12px; background: #f0f1f3; border-radius: 5px; }
  code { padding: 2px 5px; } pre { padding: 12px; overflow: auto; } pre code { padding: 0; background: none; }
  a { color: #0969da; text-decoration: none; } details { margin-bottom: 12px; } summary { cursor: pointer; }
  ul { padding-left: 26px; } blockquote { margin: 0 0 12px; padding: 0 12px; border-left: 4px solid #d1d9e0; color: #59636e; }
`;

/**
 * A page that draws this Markdown by itself, without network: GitHub's tables, its few HTML elements, Mermaid. When it
 * has drawn, `<html>` carries `data-height` in pixels, or `data-error`.
 */
export function pageOf(markdown: string): string {
  return `<!doctype html><html><head><meta charset="utf-8"><style>${style}</style></head><body><main></main>
<script>${script("markdown-it/dist/markdown-it.min.js")}</script>
<script>${script("mermaid/dist/mermaid.min.js").replaceAll("</script", "<\\/script")}</script>
<script type="application/json" id="markdown">${JSON.stringify(markdown).replaceAll("<", "\\u003c")}</script>
<script>
  const root = document.documentElement;
  (async () => {
    const text = JSON.parse(document.getElementById("markdown").textContent);
    document.querySelector("main").innerHTML = markdownit({ html: true, linkify: true }).render(text);
    for (const item of document.querySelectorAll("li"))
      item.innerHTML = item.innerHTML.replace(/^(\\s*(?:<p>)?)\\[( |x)\\] /, (_, start, mark) =>
        start + "<input type=checkbox disabled" + (mark === "x" ? " checked" : "") + "> ");
    mermaid.initialize({ startOnLoad: false, gantt: { useWidth: 850 } });
    const charts = [...document.querySelectorAll("code.language-mermaid")];
    for (const [number, chart] of charts.entries()) {
      const { svg } = await mermaid.render("chart" + number, chart.textContent);
      const place = document.createElement("div");
      place.className = "chart";
      place.innerHTML = svg;
      chart.parentElement.replaceWith(place);
    }
    root.dataset.height = String(Math.ceil(document.body.getBoundingClientRect().height));
  })().catch((error) => { root.dataset.error = String(error); });
</script></body></html>`;
}
