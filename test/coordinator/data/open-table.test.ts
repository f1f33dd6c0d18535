import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import test from "ava";
import fc from "fast-check";
import { openTableOf } from "../../../coordinator/data/open-table.ts";
import type { Columns, TableRow } from "../../../coordinator/data/table.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const COLUMNS: Columns = { textColumn: "text", labelColumn: "label" };
const TEXTS: Columns = { textColumn: "text", labelColumn: undefined };

const open = (chunks: Iterable<Buffer> | AsyncIterable<Buffer>, extension: string, columns = COLUMNS) =>
	openTableOf({ chunks: toAsync(chunks), close: () => {} }, `a${extension}`, extension, columns);

async function* toAsync(chunks: Iterable<Buffer> | AsyncIterable<Buffer>) {
	yield* chunks;
}

async function rowsOf(chunks: Iterable<Buffer>, extension: string, columns = COLUMNS): Promise<TableRow[]> {
	const rows: TableRow[] = [];
	for await (const row of (await open(chunks, extension, columns)).rows) rows.push(row);
	return rows;
}

test("a row has all its fields, in order, with their names and its line", async (t) => {
	const shown = async (extension: string, content: string, columns = COLUMNS) =>
		(await rowsOf([Buffer.from(content)], extension, columns)).map(({ source, names, values, isBlank, fault }) => [
			source,
			names.join(),
			values,
			...(isBlank ? ["blank"] : []),
			...(fault ? [fault.message] : []),
		]);
	t.deepEqual(await shown(".csv", 'id,text,label,id\n1,"a\nb",ham,2\n\n,,,\n3,c\n'), [
		["a.csv:2", "id,text,label,id", ["1", "a\nb", "ham", "2"]],
		["a.csv:4", "id,text,label,id", [""], "blank"],
		["a.csv:5", "id,text,label,id", ["", "", "", ""], "blank"],
		["a.csv:6", "id,text,label,id", ["3", "c"], "a.csv:6: found 2 fields, expected 4 as in the header"],
	]);
	t.deepEqual(await shown(".jsonl", '{"n":1,"text":"a","of":[2]}\n\n[3]\n'), [
		["a.jsonl:1", "n,text,of", [1, "a", [2]]],
		["a.jsonl:2", "", [], "blank"],
		["a.jsonl:3", "", [], "a.jsonl:3: found a list, expected one JSON object per line"],
	]);
	t.deepEqual(await shown(".tsv", "ham\ta\tb\n\nc\n"), [
		["a.tsv:1", "label,text", ["ham", "a\tb"]],
		["a.tsv:2", "label,text", [undefined, ""], "blank"],
		["a.tsv:3", "label,text", [undefined, "c"]],
	]);
	t.deepEqual(await shown(".tsv", "id\ttext\n1\ta\tb\n2\n", TEXTS), [
		["a.tsv:2", "id,text", ["1", "a\tb"]],
		["a.tsv:3", "id,text", ["2"], "a.tsv:3: found 1 field, expected 2 as in the header"],
	]);
	t.deepEqual(await shown(".txt", "a\r\n\r\nb", TEXTS), [
		["a.txt:1", "text", ["a"]],
		["a.txt:2", "text", [""], "blank"],
		["a.txt:3", "text", ["b"]],
	]);
});

test("rows don't depend on how a file's bytes arrive", async (t) => {
	const field = fc.string({ unit: fc.constantFrom("a", "é", "雪", "😀", "\r", "\n", "\r\n", " ", "\t", '""') });
	const part = fc.array(field, { minLength: 1, maxLength: 6 });
	const content = fc.oneof(
		fc.tuple(
			fc.constant(".csv"),
			part.map((texts) => `\ufefflabel,text\r\n${texts.map((text) => `x,"${text}"`).join("\r\n")}`),
		),
		fc.tuple(
			fc.constantFrom(".txt", ".tsv", ".jsonl"),
			part.map((texts) => texts.join("\r\n")),
		),
	);
	await fc.assert(
		fc.asyncProperty(content, fc.array(fc.nat()), async ([extension, text], cuts) => {
			const bytes = Buffer.from(text);
			const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
			const chunks = places.map((place, index) => bytes.subarray(place, places[index + 1]));
			const columns = extension === ".txt" ? TEXTS : COLUMNS;
			const [whole, parts] = await Promise.all(
				[[bytes], chunks].map((of) => rowsOf(of, extension, columns).catch((error: Error) => error.message)),
			);
			t.deepEqual(parts, whole);
		}),
		{ numRuns: 300 },
	);
});

test("a quote that is never closed, or a line without end, doesn't fill the memory", async (t) => {
	const endless = (start: string) =>
		(async function* () {
			yield Buffer.from(start);
			for (;;) yield Buffer.alloc(1 << 20, "a ");
		})();
	const last = async (start: string, extension: string) => {
		for await (const _ of (await open(endless(start), extension)).rows);
	};
	await t.throwsAsync(last('label,text\nx,y\nx,"', ".csv"), {
		code: "data",
		message: "a.csv:3: found a row of more than 16777216 bytes, expected another quote at the end of a quoted field",
	});
	await t.throwsAsync(last("x\ty\nx\t", ".tsv"), {
		code: "data",
		message: "a.tsv:2: found a line of more than 16777216 characters, expected shorter rows",
	});
});

const AT_ONCE = 10_000;

for (const [extension, count] of [
	[".csv", 200_000],
	[".tsv", 1_000_000],
] as const) {
	test.serial(`${count} rows of ${extension} are read in flat memory`, async (t) => {
		const separator = extension === ".csv" ? "," : "\t";
		async function* chunks() {
			yield Buffer.from(`label${separator}text\n`);
			for (let at = 0; at < count; at += AT_ONCE) {
				let some = "";
				for (let index = at; index < at + AT_ONCE; index++) some += `ham${separator}text number ${index} of many\n`;
				yield Buffer.from(some);
			}
		}
		const { rows } = await open(chunks(), extension);
		let read = 0;
		let most = 0;
		collectGarbage();
		const before = process.memoryUsage().heapUsed;
		for await (const { fault } of rows) {
			if (fault) throw fault;
			if (++read % (count / 5) !== 0) continue;
			collectGarbage();
			most = Math.max(most, process.memoryUsage().heapUsed - before);
		}
		t.is(read, count);
		// All rows together would take at least 40 MB.
		t.true(most < 15e6, `${most} bytes`);
	});
}
