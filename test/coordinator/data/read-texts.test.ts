import { join } from "node:path";
import test from "ava";
import { readTexts } from "../../../coordinator/data/read-texts.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

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

test("the text column can be chosen, each text keeps its line number, and blank lines are skipped", async (t) => {
	const folder = await temporaryFolder(t, {
		"a.csv": "body\none\n",
		"b.txt": "one\n\n two\n\n",
		"c.tsv": "id\ttext\nU1\tone\n",
		"d.tsv": "text\none\n",
		"e.tsv": "id\tlabel\nU1\tham\n",
	});
	t.deepEqual(await readTexts(join(folder, "a.csv"), { textColumn: "body" }), [
		{ text: "one", source: join(folder, "a.csv:2") },
	]);
	t.deepEqual(await readTexts(join(folder, "b.txt")), [
		{ text: "one", source: join(folder, "b.txt:1") },
		{ text: " two", source: join(folder, "b.txt:3") },
	]);
	for (const name of ["c.tsv", "d.tsv"])
		t.deepEqual(await readTexts(join(folder, name)), [{ text: "one", source: join(folder, `${name}:2`) }]);
	await t.throwsAsync(readTexts(join(folder, "a.csv")), { code: "data", message: /no column "text"/ });
	await t.throwsAsync(readTexts(join(folder, "e.tsv")), { code: "data", message: /no column "text".*found id, label/ });
});
