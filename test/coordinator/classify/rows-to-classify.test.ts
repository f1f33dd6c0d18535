import { join } from "node:path";
import test from "ava";
import { collectBatches, listRows } from "../../../coordinator/classify/rows-to-classify.ts";
import { chooseSource } from "../../../coordinator/classify/table-source.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** The text of each row, or the message of its error. */
async function readTexts(file: string, { textColumn = "text" } = {}) {
	const rows = [];
	for await (const { row, text } of listRows(await chooseSource([], file, { textColumn }).open(), textColumn))
		rows.push({ text: text instanceof TailtuneError ? `error: ${text.message}` : text, source: row.source });
	return rows;
}

test("texts are read from every format, with or without labels", async (t) => {
	const folder = await temporaryFolder(t, {
		"a.txt": "one\r\ntwo\tparts\n",
		"a.csv": 'text\none\n"two\tparts"\n',
		"a.jsonl": '{"text":"one"}\n{"text":"two\\tparts"}\n',
		"a.tsv": "ham\tone\nham\ttwo\tparts\n",
		lines: "one\ntwo\tparts\n",
		labelled: "ham\tone\nham\ttwo\tparts\n",
		"folder/ham/1": "one",
		"folder/spam/2": "two\tparts",
	});
	const textsOf = async (name: string) => (await readTexts(join(folder, name))).map(({ text }) => text);
	for (const name of ["a.txt", "a.csv", "a.jsonl", "a.tsv", "labelled", "folder"])
		t.deepEqual(await textsOf(name), ["one", "two\tparts"], name);
	t.deepEqual(await textsOf("lines"), ["one", "two\tparts"]);
});

test("the text column can be chosen, and each text keeps its line number", async (t) => {
	const folder = await temporaryFolder(t, {
		"a.csv": "body\none\n",
		"c.tsv": "id\ttext\nU1\tone\n",
		"d.tsv": "text\none\n",
		"e.tsv": "id\tlabel\nU1\tham\n",
	});
	t.deepEqual(await readTexts(join(folder, "a.csv"), { textColumn: "body" }), [
		{ text: "one", source: join(folder, "a.csv:2") },
	]);
	for (const name of ["c.tsv", "d.tsv"])
		t.deepEqual(await readTexts(join(folder, name)), [{ text: "one", source: join(folder, `${name}:2`) }]);
	await t.throwsAsync(readTexts(join(folder, "a.csv")), { code: "data", message: /no column "text"/ });
	await t.throwsAsync(readTexts(join(folder, "e.tsv")), { code: "data", message: /no column "text".*found id, label/ });
});

test("a blank line is a row if lines are texts; in CSV and JSON it isn't, but a row of empty fields is", async (t) => {
	const folder = await temporaryFolder(t, {
		"a.txt": "one\n\n two\n \n",
		"b.csv": "id,text\n\n1,one\n,\n2,\n3,two,2\n\n",
		"c.jsonl": '\n{"text":"one"}\n\n{"text":""}\n{"text":7}\n[]\nx\n',
		"d.tsv": "id\ttext\n\n1\tone\n\t\n",
	});
	const linesOf = async (name: string) =>
		(await readTexts(join(folder, name))).map(({ text, source }) => [
			source.slice(folder.length + 1),
			text.replaceAll(`${folder}/`, ""),
		]);
	t.deepEqual(await linesOf("a.txt"), [
		["a.txt:1", "one"],
		["a.txt:2", "error: a.txt:2: the text is empty"],
		["a.txt:3", " two"],
		["a.txt:4", "error: a.txt:4: the text is empty"],
	]);
	t.deepEqual(await linesOf("b.csv"), [
		["b.csv:3", "one"],
		["b.csv:4", "error: b.csv:4: the text is empty"],
		["b.csv:5", "error: b.csv:5: the text is empty"],
		["b.csv:6", "error: b.csv:6: found 3 fields, expected 2 as in the header"],
	]);
	t.deepEqual(await linesOf("c.jsonl"), [
		["c.jsonl:2", "one"],
		["c.jsonl:4", "error: c.jsonl:4: the text is empty"],
		["c.jsonl:5", "error: c.jsonl:5: text: found a number, expected a string"],
		["c.jsonl:6", "error: c.jsonl:6: found a list, expected one JSON object per line"],
		["c.jsonl:7", "error: c.jsonl:7: not JSON, expected one JSON object per line"],
	]);
	t.deepEqual(await linesOf("d.tsv"), [
		["d.tsv:3", "one"],
		["d.tsv:4", "error: d.tsv:4: the text is empty"],
	]);
});

test("a batch is bounded by its rows and by its characters", async (t) => {
	const sizesOf = async (texts: readonly string[]) => {
		const sizes = [];
		const rows = listRows(await chooseSource(texts, undefined, { textColumn: "text" }).open(), "text");
		for await (const batch of collectBatches(rows)) sizes.push(batch.length);
		return sizes;
	};
	t.deepEqual(await sizesOf(new Array(2050).fill("a")), [1024, 1024, 2]);
	t.deepEqual(await sizesOf(new Array(3).fill("a".repeat(3 << 20))), [2, 1]);
	t.deepEqual(await sizesOf(["a"]), [1]);
});

test("the texts to classify come from one place", (t) => {
	const message = (found: string) => `texts: found ${found}, expected texts, - or --file FILE`;
	for (const [words, file, found] of [
		[[], undefined, "none"],
		[["a", "-"], undefined, "texts and standard input"],
		[["-"], "a.csv", "standard input and a.csv"],
	] as const)
		t.throws(() => chooseSource(words, file, { textColumn: "text" }), { code: "usage", message: message(found) });
});
