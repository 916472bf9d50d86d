/**
 * Names in every script, from the examples of the standard and from published files.
 * Sources of the bytes: DICOM PS3.5 Annexes H.3, I.2, I.3, J.3, K.2; pydicom charset files (see examples/README.md).
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { memorySource } from "../src/dicom/byte-source.ts";
import { decodeText } from "../src/dicom/character-set.ts";
import { parseHeader } from "../src/dicom/parse-header.ts";
import { decodePersonName } from "../src/dicom/person-name.ts";
import { readDicomFile } from "../src/dicom/read-file.ts";
import { EXAMPLES, example, exampleNames } from "./examples.ts";

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));

const files: Readonly<Record<string, string>> = {
  "chrArab.dcm": "قباني^لنزار",
  "chrFren.dcm": "Buc^Jérôme",
  "chrFrenMulti.dcm": "Buc^Jérôme",
  "chrGerm.dcm": "Äneas^Rüdiger",
  "chrGreek.dcm": "Διονυσιος",
  "chrH31.dcm": "Yamada^Tarou=山田^太郎=やまだ^たろう",
  "chrH32.dcm": "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう",
  "chrHbrw.dcm": "שרון^דבורה",
  "chrI2.dcm": "Hong^Gildong=洪^吉洞=홍^길동",
  "chrJapMulti.dcm": "やまだ^たろう",
  "chrJapMultiExplicitIR6.dcm": "やまだ^たろう",
  "chrKoreanMulti.dcm": "김희중",
  "chrRuss.dcm": "Люкceмбypг",
  "chrX1.dcm": "Wang^XiaoDong=王^小東",
  "chrX2.dcm": "Wang^XiaoDong=王^小东",
};
test("every file has its row", () => assert.deepEqual(exampleNames("dicom/charset"), Object.keys(files)));
for (const [name, expected] of Object.entries(files))
  test(`${name}: ${expected}`, async () => {
    const { dataSet } = await parseHeader(memorySource(example(`dicom/charset/${name}`)));
    const value = (tag: string): Uint8Array => {
      const element = dataSet.elements[tag];
      assert.ok(element);
      return dataSet.byteArray.subarray(element.dataOffset, element.dataOffset + element.length);
    };
    const sets = Buffer.from(value("x00080005")).toString("latin1").trim().split("\\");
    const found = decodePersonName(value("x00100010"), sets);
    assert.equal(found.text, expected);
    assert.ok(found.isExact);
  });

const ESC = "\x1b";
const texts: readonly (readonly [string, string[], Uint8Array, string])[] = [
  [
    "PS3.5 K.2: GB 2312 by escape",
    ["", "ISO 2022 IR 58"],
    latin1(`Zhang^XiaoDong=${ESC}$)A\xd5\xc5^${ESC}$)A\xd0\xa1\xb6\xab=`),
    "Zhang^XiaoDong=张^小东",
  ],
  [
    "PS3.5 I.2: Korean by escape",
    ["", "ISO 2022 IR 149"],
    latin1(`Hong^Gildong=${ESC}$)C\xfb\xf3^${ESC}$)C\xd1\xce\xd4\xd7=${ESC}$)C\xc8\xab^${ESC}$)C\xb1\xe6\xb5\xbf`),
    "Hong^Gildong=洪^吉洞=홍^길동",
  ],
  [
    "JIS X 0212 by escape",
    ["", "ISO 2022 IR 87", "ISO 2022 IR 159"],
    latin1(`${ESC}$(D\x30\x21${ESC}(B^${ESC}$B;3ED${ESC}(B`),
    "丂^山田",
  ],
  [
    "Latin-1 and Greek in one name",
    ["ISO 2022 IR 100", "ISO 2022 IR 126"],
    latin1(`J\xe9r\xf4me^${ESC}-F\xc4\xe9\xef`),
    "Jérôme^Διο",
  ],
  ["after a delimiter the first set is back", ["ISO 2022 IR 100", "ISO 2022 IR 126"], latin1(`${ESC}-F\xc4^\xc4`), "Δ^Ä"],
  ["Thai", ["ISO_IR 166"], latin1("\xca\xc1\xaa\xd2\xc2"), "สมชาย"],
  ["GBK", ["GBK"], latin1("\xcd\xf5^\xd0\xa1\xb6\xab"), "王^小东"],
  ["GB18030 with four bytes", ["GB18030"], Uint8Array.of(0x82, 0x35, 0x8f, 0x33), "\u9fa6"],
  ["UTF-8", ["ISO_IR 192"], new TextEncoder().encode("王^𠮷"), "王^𠮷"],
  ["a misspelt set", ["ISO-IR 100"], latin1("J\xe9"), "Jé"],
  ["no set", [], latin1("Wang^Xiao"), "Wang^Xiao"],
];
for (const [name, sets, bytes, expected] of texts)
  test(`${name}: ${expected}`, () => assert.deepEqual(decodePersonName(bytes, sets).text, expected));

test("second bytes of GBK that look like delimiters do not cut a name", () => {
  const bytes = Uint8Array.of(0x81, 0x5e, 0x5e, 0x81, 0x5c, 0x3d, 0x81, 0x7c);
  const expected = new TextDecoder("gbk").decode(bytes);
  const found = decodePersonName(bytes, ["GBK"]);
  assert.equal(found.text, expected);
  assert.equal(found.alphabetic.given, expected[2]);
});

test("JIS bytes that look like delimiters do not cut a name", () => {
  // 0x5e, 0x3d and 0x5c stand inside two-byte characters here.
  const found = decodePersonName(latin1(`${ESC}$B\x30\x5e\x3d\x30\x5c\x30${ESC}(B^x`), ["", "ISO 2022 IR 87"]);
  assert.equal([...found.alphabetic.family].length, 3);
  assert.deepEqual([found.alphabetic.given, found.ideographic.text, found.isExact], ["x", "", true]);
});

test("says when bytes have no meaning under the declared set", () => {
  const inexact: readonly (readonly [string[], string])[] = [
    [[], "\xcd\xf5"],
    [["ISO_IR 192"], "\xcd\xf5"],
    [["ISO_IR 100"], "\x85"],
    [["", "ISO 2022 IR 58"], `${ESC}$)A\xd5`],
    [["", "ISO 2022 IR 87"], `${ESC}$B;`],
    [["", "ISO 2022 IR 87"], `${ESC}%Gx`],
  ];
  for (const [sets, bytes] of inexact) {
    const { isExact, text } = decodeText(latin1(bytes), sets);
    assert.ok(!isExact && text.includes("\ufffd"), JSON.stringify([sets, bytes, text]));
  }
});

test("reads a writer that declared GB 2312 and forgot to escape to it, and says so", () => {
  const found = decodePersonName(latin1("Wang=\xcd\xf5^\xd0\xa1"), ["", "ISO 2022 IR 58"]);
  assert.deepEqual([found.text, found.isExact], ["Wang=王^小", false]);
});

test("never throws, whatever the bytes and sets are", () => {
  const set = fc.constantFrom(
    "",
    "ISO_IR 100",
    "ISO 2022 IR 13",
    "ISO 2022 IR 87",
    "ISO 2022 IR 159",
    "ISO 2022 IR 58",
    "ISO 2022 IR 149",
    "GBK",
    "ISO_IR 192",
    "x",
  );
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.constantFrom(latin1(`${ESC}$B`), latin1(`${ESC}$)A`), latin1(`${ESC}(B`), latin1("^=\\")),
  );
  let exact = 0;
  let inexact = 0;
  fc.assert(
    fc.property(fc.array(set, { maxLength: 3 }), fc.array(piece, { maxLength: 6 }), (sets, pieces) => {
      if (decodePersonName(new Uint8Array(Buffer.concat(pieces)), sets).isExact) exact++;
      else inexact++;
    }),
    { numRuns: 2_000 },
  );
  assert.ok(exact > 100 && inexact > 100, `${exact} exact, ${inexact} not`);
});

test("an instance gives its texts when asked and never shows them otherwise", async () => {
  const instance = await readDicomFile(`${EXAMPLES}ct/IM000001.dcm`);
  const texts_ = instance.decodePatientTexts();
  assert.deepEqual(
    [texts_.name.ideographic.family, texts_.name.ideographic.given, texts_.studyDescription, texts_.birthDate],
    ["王", "小明", "头颅胸椎CT平扫", "19900307"],
  );
  const { inspect } = await import("node:util");
  const shown = inspect(instance, { depth: 9, showHidden: true }) + JSON.stringify(instance);
  for (const secret of ["小明", "XiaoMing", "19900307", "SYNTHETIC-0001"]) assert.ok(!shown.includes(secret), secret);
});
