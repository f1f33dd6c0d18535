import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import test, { type ExecutionContext } from "ava";
import fc from "fast-check";
import { openTableOf } from "../../../coordinator/data/open-table.ts";
import { type DatasetColumns, readDataset } from "../../../coordinator/data/read-dataset.ts";
import { readRows } from "../../../coordinator/data/read-rows.ts";
import { newFolder } from "../../new-folder.ts";

interface Labelled {
	readonly label: string;
	readonly text: string;
}

const folder = await newFolder();
let files = 0;

/** Writes a file to a folder of its own. */
async function write(name: string, content: string | Uint8Array): Promise<string> {
	const own = join(folder, String(++files));
	await mkdir(own);
	await writeFile(join(own, name), content);
	return join(own, name);
}

async function read(name: string, content: string | Uint8Array, columns?: DatasetColumns): Promise<Labelled[]> {
	const { labels, examples } = await readDataset(await write(name, content), columns);
	return examples.map(({ label, text }) => ({ label: labels[label] ?? "", text }));
}

async function refusal(t: ExecutionContext, name: string, content: string | Uint8Array, columns?: DatasetColumns) {
	const error = await t.throwsAsync(read(name, content, columns), { name: "TailtuneError", code: "data" });
	return error?.message.replace(/^.*?([^/]*: )/, "$1");
}

const csv = (rows: readonly Labelled[], separator: string) =>
	["label,text".replace(",", separator), ...rows.map((row) => [row.label, row.text].map(quote).join(separator))].join(
		"\r\n",
	);
const quote = (field: string) => `"${field.replaceAll('"', '""')}"`;

const utf16 = (text: string) => Buffer.from(text, "utf16le");
const PACKINGS: [name: string, encode: (text: string) => Buffer][] = [
	["UTF-8", (text) => Buffer.from(text)],
	["UTF-8 with a byte order mark", (text) => Buffer.from(`\ufeff${text}`)],
	["UTF-16 LE", utf16],
	["UTF-16 LE with a byte order mark", (text) => utf16(`\ufeff${text}`)],
	["UTF-16 BE", (text) => utf16(text).swap16()],
	["UTF-16 BE with a byte order mark", (text) => utf16(`\ufeff${text}`).swap16()],
];

const FORMATS: [extension: string, write: (rows: readonly Labelled[]) => string, columns?: DatasetColumns][] = [
	[".csv", (rows) => csv(rows, ",")],
	[".csv", (rows) => csv(rows, ";")],
	[".csv", (rows) => csv(rows, "\t")],
	[".csv", (rows) => csv(rows, "|")],
	[".txt", (rows) => csv(rows, "~~"), { delimiter: "~~" }],
	[".tsv", (rows) => csv(rows, "\t"), { delimiter: "tab" }],
	[".jsonl", (rows) => rows.map((row) => JSON.stringify(row)).join("\n")],
	[".json", (rows) => JSON.stringify(rows)],
	[".json", (rows) => JSON.stringify(rows, undefined, "\t")],
	[".json", (rows) => rows.map((row) => JSON.stringify(row)).join("\r\n")],
	[
		".jsonl",
		(rows) => rows.map(({ label, text }) => JSON.stringify({ of: [{ body: { text } }], label })).join("\n"),
		{ textColumn: "of.0.body.text" },
	],
];

const anyRows = fc.array(
	fc.record({
		label: fc
			.string({ unit: "grapheme", maxLength: 5 })
			.map((label) => `<${label.replaceAll(/[\0\ufeff]/g, "")}>`.normalize("NFC")),
		text: fc
			.string({
				unit: fc.oneof(
					fc.constantFrom(",", ";", "\t", "|", '"', "\\", "{", "]", "\r\n", "\n"),
					fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
				),
			})
			.map((text) => `.${text.replaceAll("\0", "")}`),
	}),
	{ minLength: 1, maxLength: 5 },
);

for (const [name, encode] of PACKINGS) {
	test(`the same rows are read from each format in ${name}, packed or not`, async (t) => {
		await fc.assert(
			fc.asyncProperty(anyRows, fc.boolean(), async (rows, isPacked) => {
				for (const [extension, format, columns] of FORMATS) {
					const bytes = encode(format(rows));
					const file = `${PACKINGS.findIndex(([own]) => own === name)}${extension}${isPacked ? ".gz" : ""}`;
					t.deepEqual(await read(file, isPacked ? gzipSync(bytes) : bytes, columns), rows, extension);
				}
			}),
			{ numRuns: 10 },
		);
	});
}

test("Windows-1252 is read in every text format, and from folders", async (t) => {
	const rows = [{ label: "größe", text: "naïve “quoted” 5 €" }];
	const encode = (text: string) =>
		Buffer.from(text.replaceAll("“", "\x93").replaceAll("”", "\x94").replaceAll("€", "\x80"), "latin1");
	for (const [extension, format, columns] of FORMATS)
		t.deepEqual(await read(`latin1${extension}`, encode(format(rows)), { ...columns, encoding: "latin1" }), rows);
	await mkdir(join(folder, "labels", "a"), { recursive: true });
	await writeFile(join(folder, "labels", "a", "1"), encode("5 €"));
	t.is((await readDataset(join(folder, "labels"), { encoding: "latin1" })).examples[0]?.text, "5 €");
	await t.throwsAsync(readDataset(join(folder, "labels")), {
		message: /a\/1:1: found bytes that aren't UTF-8, .*--encoding latin1/,
	});
});

test("another separator or encoding is said, the usual ones are not", async (t) => {
	const said: string[] = [];
	const say = (line: string) => void said.push(line.replace(/^.*\//, ""));
	await read("a.csv", "label,text\na,b", { say });
	await read("a.jsonl", '{"label":"a","text":"b"}', { say });
	t.deepEqual(said, []);
	await read("a.csv", "label;text\na;b", { say });
	await read("b.csv.gz", gzipSync(utf16("label\ttext\na\tb")), { say });
	await read("c.tsv", "a\tb", { say, encoding: "latin1" });
	t.deepEqual(said, [
		"a.csv: read as CSV separated by semicolons, UTF-8",
		"b.csv.gz: read as CSV separated by tabs, UTF-16, packed by gzip",
		"c.tsv: read as TSV, Windows-1252",
	]);
});

test("texts of several columns are joined by a blank line, without empty ones; a column of that very name is one", async (t) => {
	const columns = { textColumn: "title, body" };
	t.deepEqual(await read("a.csv", "title,label,body\nA,x,B\n,x,C\nD,x, \n", columns), [
		{ label: "x", text: "A\n\nB" },
		{ label: "x", text: "C" },
		{ label: "x", text: "D" },
	]);
	t.deepEqual(await read("a.tsv", "label\ttitle\tbody\nx\tA\tB\tC\n", columns), [{ label: "x", text: "A\n\nB\tC" }]);
	const pairs = ['{"label":"x","title":null,"of":{"body":"B"}}', '{"label":"x","title":"A","of":{"body":"B"}}'];
	t.deepEqual(await read("a.jsonl", pairs.join("\n"), { textColumn: "title,of.body" }), [
		{ label: "x", text: "B" },
		{ label: "x", text: "A\n\nB" },
	]);
	t.deepEqual(await read("b.csv", 'label,"a,b",a,b\nx,1,2,3\n', { textColumn: "a,b" }), [{ label: "x", text: "1" }]);
	t.is(await refusal(t, "a.csv", "title,body,label\n, ,x\n", columns), "a.csv:2: the text is empty");
	t.is(
		await refusal(t, "a.csv", "title,label\nA,x\n", columns),
		'a.csv:1: no column "body" (--text-column); found title, label',
	);
	t.is(
		(await readRows(await write("a.csv", "a,b\n1,2\n"), { textColumn: "a,b", labelColumn: undefined }))[0]?.text,
		"1\n\n2",
	);
});

test("an unknown path is refused with the fields that there are", async (t) => {
	const row = '{"payload":{"content":{"body":"x"},"id":1},"label":"y"}';
	const advice = (textColumn: string) => refusal(t, "a.jsonl", row, { textColumn });
	t.is(await advice("body"), 'a.jsonl:1: no field "body" (--text-column); found payload, label');
	t.is(
		await advice("payload.body"),
		'a.jsonl:1: no field "payload.body" (--text-column); found payload.content, payload.id',
	);
	t.is(await advice("payload.content"), "a.jsonl:1: payload.content: found an object, expected a string");
	t.is(
		await refusal(t, "a.csv", "id,payload.body\n1,x\n", { textColumn: "payload.text" }),
		'a.csv:1: no column "payload.text" (--text-column); found id, payload.body',
	);
});

test("a JSON list is refused with the line of the fault", async (t) => {
	const good = '{"label":"x","text":"y"}';
	t.is(await refusal(t, "a.json", `[\n ${good},\n\n 3]`), "a.json:4: found a number, expected a list of JSON objects");
	t.is(await refusal(t, "a.json", `[${good},\n{"label":}]`), "a.json:2: not JSON, expected a list of JSON objects");
	t.is(await refusal(t, "a.json", `[${good},,${good}]`), "a.json:1: not JSON, expected a list of JSON objects");
	const expected = "expected one JSON list of objects";
	t.is(
		await refusal(t, "a.json", `[${good},\n${good}`),
		`a.json:2: found the end of the file inside the list, ${expected}`,
	);
	t.is(
		await refusal(t, "a.json", `[${good}]\n[${good}]`),
		`a.json:2: found ${JSON.stringify(`[${good}]`)} after the list, ${expected}`,
	);
	t.is(await refusal(t, "a.json", "[]"), "a.json: contains no texts, expected at least one");
	t.regex(
		(await refusal(t, "a.json", '{\n "data": []\n}')) ?? "",
		/^a\.json:1: not JSON, expected one JSON object per line/,
	);
});

test("files of other kinds, and damaged ones, are refused with advice", async (t) => {
	const packed = gzipSync(Buffer.from(`label,text\n${"a,b\n".repeat(1000)}`));
	t.is(await refusal(t, "a.csv.gz", packed.subarray(0, -9)), "a.csv.gz: can't be unpacked by gzip: it ends too early");
	const damaged = Buffer.from(packed);
	damaged.fill(255, 12, 20);
	t.is(await refusal(t, "a.csv.gz", damaged), "a.csv.gz: can't be unpacked by gzip: it is damaged");
	t.is(
		await refusal(t, "a.xlsx", Buffer.from("PK\x03\x04...")),
		"a.xlsx: found a ZIP archive or a spreadsheet; unpack it, or save the table as CSV",
	);
	t.is(
		await refusal(t, "a.csv.zst", Buffer.from("28b52ffd00", "hex")),
		"a.csv.zst: found a Zstandard file; unpack it (zstd -d) or use gzip",
	);
	t.is(
		await refusal(t, "a.csv.gz", gzipSync(Buffer.from("BZh91"))),
		"a.csv.gz: found a bzip2 file; unpack it (bunzip2) or use gzip",
	);
	t.is(
		await refusal(t, "a.csv", utf16("\ufefflabel,text\na,\ud800b\n")),
		"a.csv:2: found bytes that aren't UTF-16, expected text in UTF-16 or UTF-8",
	);
	t.is(
		await refusal(t, "a.csv", Buffer.concat([utf16("\ufefflabel,text\n"), Buffer.of(65)])),
		"a.csv:2: found bytes that aren't UTF-16, expected text in UTF-16 or UTF-8",
	);
	t.is(
		await refusal(t, "a.csv", Buffer.from("label,text\na,\0b\n"), { encoding: "latin1" }),
		"a.csv:2: found a NUL byte, expected text",
	);
});

test("a small file that unpacks to more than the limit is refused before it is unpacked whole", async (t) => {
	const bomb = gzipSync(Buffer.alloc(32 << 20, "label,text\n"));
	t.true(bomb.length < 1e5);
	async function* chunks() {
		yield bomb;
	}
	const open = async () => {
		const columns = { textColumn: "text", labelColumn: undefined };
		const table = await openTableOf({ chunks: chunks(), close: () => {} }, "a.csv.gz", ".csv", columns, 4 << 20);
		for await (const _ of table.rows);
	};
	await t.throwsAsync(open, {
		code: "data",
		message: /^a\.csv\.gz: unpacked: found at least \d{7} bytes, expected at most 4194304$/,
	});
});
