/** Minimal XML: what AWS's Query, EC2 and S3 protocols send and read. No attributes are interpreted. */

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Escapes text for an element; control characters become character references, as S3 writes them. */
export function escapeXml(text: string): string {
  return text
    .replace(/[&<>"]/g, (character) => escapes[character]!)
    .replace(/\p{Cc}/gu, (character) =>
      character === "\n" || character === "\t" ? character : `&#x${character.charCodeAt(0).toString(16)};`,
    );
}

/**
 * Writes a plain object as elements. An array repeats: inside one `item` element each when `listItem` names it
 * (`<set><item/></set>`), else as siblings of the same name, which is S3's way. `undefined` and `null` are left out.
 */
export function toXml(value: unknown, listItem?: string): string {
  if (value === undefined || value === null) return "";
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== "object") return escapeXml(String(value));
  let xml = "";
  for (const [name, field] of Object.entries(value)) {
    if (field === undefined || field === null) continue;
    if (!Array.isArray(field)) xml += `<${name}>${toXml(field, listItem)}</${name}>`;
    else if (listItem === undefined) for (const item of field) xml += `<${name}>${toXml(item)}</${name}>`;
    else {
      const items = field.map((item) => `<${listItem}>${toXml(item, listItem)}</${listItem}>`).join("");
      xml += `<${name}>${items}</${name}>`;
    }
  }
  return xml;
}

/** A parsed element: its local name, the text directly in it, and its child elements in order. */
export interface XmlElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const namedEntities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]+|#[0-9]+|\w+);/g, (whole, entity: string) => {
    if (entity.startsWith("#x")) return String.fromCodePoint(Number.parseInt(entity.slice(2), 16));
    if (entity.startsWith("#")) return String.fromCodePoint(Number.parseInt(entity.slice(1), 10));
    return namedEntities[entity] ?? whole;
  });
}

const token =
  /<!\[CDATA\[([\s\S]*?)\]\]>|<!--[\s\S]*?-->|<[?!][^>]*>|<(\/?)([^\s/>]+)([^>]*?)(\/?)>|([^<]+)/gy;

/** Parses a document and gives its root. Throws SyntaxError on anything that isn't well formed. */
export function parseXml(source: string): XmlElement {
  const root: XmlElement = { name: "", text: "", children: [] };
  const open: XmlElement[] = [root];
  const pattern = new RegExp(token);
  while (pattern.lastIndex < source.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(source);
    if (match === null) throw new SyntaxError(`not well formed at character ${at}`);
    const [, cdata, slash, qualifiedName, , selfClosing, text] = match;
    const current = open[open.length - 1]!;
    if (cdata !== undefined) current.text += cdata;
    else if (text !== undefined) current.text += unescapeXml(text);
    else if (qualifiedName !== undefined) takeTag(open, qualifiedName, slash === "/", selfClosing === "/");
  }
  if (open.length !== 1 || root.children.length !== 1) {
    throw new SyntaxError("expected exactly one closed root element");
  }
  return root.children[0]!;
}

function takeTag(open: XmlElement[], qualifiedName: string, closes: boolean, empty: boolean): void {
  const current = open[open.length - 1]!;
  const name = qualifiedName.slice(qualifiedName.indexOf(":") + 1);
  if (closes) {
    if (current.name !== name || open.length === 1) throw new SyntaxError(`unexpected </${name}>`);
    open.pop();
    return;
  }
  const element: XmlElement = { name, text: "", children: [] };
  current.children.push(element);
  if (!empty) open.push(element);
}

/** The text of the first child with this name, or undefined. */
export function childText(element: XmlElement, name: string): string | undefined {
  return element.children.find((child) => child.name === name)?.text;
}

/** All children with this name. */
export function childrenOf(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}
