import type { Sample } from "../types.ts";

const width = 720;
const height = 180;
const margin = { left: 64, right: 12, top: 12, bottom: 28 };

/** A line chart as SVG: `unit` on the y axis, seconds on the x axis. Colours come from the page's CSS variables. */
export function lineChart(title: string, unit: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return `<p class="empty">${escapeHtml(title)}: no samples.</p>`;
  const fromX = Math.min(...samples.map((sample) => sample.at));
  const toX = Math.max(...samples.map((sample) => sample.at), fromX + 1);
  const toY = niceCeiling(Math.max(...samples.map((sample) => sample.value)));
  const x = (at: number) =>
    margin.left + ((at - fromX) / (toX - fromX)) * (width - margin.left - margin.right);
  const y = (value: number) => height - margin.bottom - (value / toY) * (height - margin.top - margin.bottom);
  const points = samples
    .map((sample) => `${x(sample.at).toFixed(1)},${y(sample.value).toFixed(1)}`)
    .join(" ");
  const rows = [0, 0.5, 1].map((part) => {
    const at = y(toY * part).toFixed(1);
    const label = `${formatNumber(toY * part)} ${unit}`;
    return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}"/><text x="${margin.left - 6}" y="${at}" text-anchor="end" dominant-baseline="middle">${label}</text>`;
  });
  const columns = [0, 0.5, 1].map((part) => {
    const at = fromX + (toX - fromX) * part;
    return `<text x="${x(at).toFixed(1)}" y="${height - 8}" text-anchor="${part === 1 ? "end" : part === 0 ? "start" : "middle"}">${at.toFixed(1)} s</text>`;
  });
  return `<figure><figcaption>${escapeHtml(title)}</figcaption><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(title)}">${rows.join("")}${columns.join("")}<polyline class="line" points="${points}"/></svg></figure>`;
}

/** The steps as bars over time. */
export function stepChart(steps: readonly { name: string; from: number; to: number }[]): string {
  const rowHeight = 24;
  const total = Math.max(...steps.map((step) => step.to), 1);
  const labels = 250;
  const scale = (width - labels - 60) / total;
  const rows = steps.map((step, index) => {
    const top = index * rowHeight;
    const from = labels + step.from * scale;
    const length = Math.max(2, (step.to - step.from) * scale);
    const took = `${(step.to - step.from).toFixed(1)} s`;
    return `<text x="${labels - 8}" y="${top + 15}" text-anchor="end">${escapeHtml(step.name)}</text><rect class="bar" x="${from.toFixed(1)}" y="${top + 4}" width="${length.toFixed(1)}" height="15" rx="3"/><text x="${(from + length + 5).toFixed(1)}" y="${top + 15}">${took}</text>`;
  });
  return `<figure><figcaption>Timeline</figcaption><svg viewBox="0 0 ${width} ${steps.length * rowHeight + 6}" role="img" aria-label="Timeline of the drill">${rows.join("")}</svg></figure>`;
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);
}

function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const nice = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value) ?? 10;
  return nice * power;
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 }).format(value);
}
