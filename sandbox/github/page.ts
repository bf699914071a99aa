import type { Fields } from "./store.ts";

const perPageDefault = 30;
const perPageMax = 100;

/** One page and the Link header that leads to the others, as GitHub numbers them. */
export function pageOf(
  url: URL,
  all: readonly Fields[],
): { readonly items: readonly Fields[]; readonly link: string | undefined } {
  const perPage = Math.min(positive(url.searchParams.get("per_page"), perPageDefault), perPageMax);
  const page = positive(url.searchParams.get("page"), 1);
  const last = Math.max(1, Math.ceil(all.length / perPage));
  const relations: [string, number][] = [];
  if (page > 1) relations.push(["prev", page - 1]);
  if (page < last) relations.push(["next", page + 1], ["last", last]);
  if (page > 1) relations.push(["first", 1]);
  const link = relations.map(([relation, number]) => {
    const target = new URL(url);
    target.searchParams.set("page", String(number));
    return `<${target.href}>; rel="${relation}"`;
  });
  return {
    items: all.slice((page - 1) * perPage, page * perPage),
    link: link.length > 0 ? link.join(", ") : undefined,
  };
}

function positive(text: string | null, otherwise: number): number {
  const number = Number(text);
  return text !== null && Number.isInteger(number) && number > 0 ? number : otherwise;
}
