import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { childrenOf, childText, parseXml, toXml } from "./xml.ts";

describe("XML", () => {
  test("objects, lists and dates are written as the protocols want them", () => {
    expect(toXml({ A: { B: 1, C: undefined }, D: [{ E: "x" }, { E: "y" }] })).toBe(
      "<A><B>1</B></A><D><E>x</E></D><D><E>y</E></D>",
    );
    expect(toXml({ set: ["a", "b"] }, "item")).toBe("<set><item>a</item><item>b</item></set>");
    expect(toXml({ at: new Date(0), yes: true })).toBe("<at>1970-01-01T00:00:00.000Z</at><yes>true</yes>");
  });

  test("any text comes back as it was written", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(childText(parseXml(`<Root>${toXml({ Key: text })}</Root>`), "Key")).toBe(text);
      }),
    );
  });

  test("declaration, comment, CDATA, namespace prefix, attributes and empty elements are read", () => {
    const root = parseXml(
      '<?xml version="1.0"?>\n<!-- c --><s:Root a="1"><Key><![CDATA[<&>]]></Key><Empty/><Key>two</Key></s:Root>\n',
    );
    expect([root.name, childrenOf(root, "Key").map(({ text }) => text), childText(root, "Empty")]).toEqual([
      "Root",
      ["<&>", "two"],
      "",
    ]);
  });

  test("what isn't well formed is refused", () => {
    for (const text of ["", "plain", "<a>", "<a></b>", "<a/><b/>", "<a", "</a>"])
      expect(() => parseXml(text)).toThrow(SyntaxError);
  });
});
