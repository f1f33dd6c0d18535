import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { countByLabel } from "../../../coordinator/data/dataset.ts";
import { loadSets } from "../../../coordinator/data/load-sets.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

/** Lines of a TSV file with the given number of texts of each class. */
function lines(counts: Readonly<Record<string, number>>): string {
	const all = Object.entries(counts).flatMap(([label, count]) =>
		Array.from({ length: count }, (_, index) => `${label}\t${label} ${index}`),
	);
	return all.join("\n");
}

async function load(t: ExecutionContext, files: Readonly<Record<string, string>>, settings: object) {
	const folder = await temporaryFolder(t, files);
	const inFolder = Object.fromEntries(Object.keys(files).map((name) => [name, join(folder, name)]));
	const sets = await loadSets(await resolveConfig({ ...inFolder, ...settings }), new RunEvents());
	return { ...sets, labels: sets.train.labels, counts: [sets.train, sets.validation, sets.test].map(countByLabel) };
}

const fraud = { data: lines({ fraud: 150, ok: 2850 }) };

test("only the training set is balanced: validation and test keep the proportions of the file", async (t) => {
	const { counts, classes } = await load(t, fraud, { balance: "undersample" });
	t.deepEqual(counts, [
		[105, 105],
		[15, 285],
		[30, 570],
	]);
	t.deepEqual(classes, [
		{ label: "fraud", read: 150, train: 105, validation: 15, test: 30, unused: 0, repeats: 0 },
		{ label: "ok", read: 2850, train: 105, validation: 285, test: 570, unused: 1890, repeats: 0 },
	]);
});

test("without balancing every text is used", async (t) => {
	const { counts, classes } = await load(t, fraud, { balance: "none" });
	t.deepEqual(counts[0], [105, 1995]);
	t.deepEqual(
		classes.map(({ unused }) => unused),
		[0, 0],
	);
});

test("oversampling repeats training texts of smaller classes only, until each class has as many as the largest", async (t) => {
	const { counts, classes, repeats, train, labels } = await load(t, fraud, { balance: "oversample" });
	t.deepEqual(counts, [
		[105, 1995],
		[15, 285],
		[30, 570],
	]);
	t.deepEqual(countByLabel({ labels, examples: repeats }), [1890, 0]);
	t.true(repeats.every((repeat) => train.examples.includes(repeat)));
	t.deepEqual(
		classes.map((of) => [of.unused, of.repeats]),
		[
			[0, 1890],
			[0, 0],
		],
	);
});

test("the book balances before it splits, and its sets have the book's sizes", async (t) => {
	const { train, validation, test, classes } = await load(
		t,
		{ data: lines({ ham: 4827, spam: 747 }) },
		{ preset: "book" },
	);
	t.deepEqual(
		[train, validation, test].map(({ examples }) => examples.length),
		[1045, 149, 300],
	);
	t.deepEqual(
		classes.map(({ read, unused }) => [read, unused]),
		[
			[4827, 4080],
			[747, 0],
		],
	);
});

test("if three sets are given, only the training set is balanced", async (t) => {
	const files = { train: lines({ a: 10, b: 20 }), validation: lines({ a: 1, b: 9 }), test: lines({ b: 5 }) };
	const { counts, classes } = await load(t, files, { balance: "undersample" });
	t.deepEqual(counts, [
		[10, 10],
		[1, 9],
		[0, 5],
	]);
	t.deepEqual(classes[1], { label: "b", read: 34, train: 10, validation: 9, test: 5, unused: 10, repeats: 0 });
});

test("equal texts stay in one set and are counted; the others are assigned as without them", async (t) => {
	const others = Array.from({ length: 40 }, (_, i) => `a\t${"x".repeat(i + 1)}\nb\t${"y".repeat(i + 1)}\n`).join("");
	const data = `${others}${"a\tsame\n".repeat(6)}a\tSame`;
	const said: string[] = [];
	const load = async (dedupe: string) => {
		const folder = await temporaryFolder(t, { data });
		const events = new RunEvents();
		events.listen((event) => void (event.event === "line" || event.event === "warning" ? said.push(event.text) : 0));
		const { train, validation, test } = await loadSets(
			await resolveConfig({ data: join(folder, "data"), dedupe }),
			events,
		);
		const counts = [train, validation, test].map(
			({ examples }) => examples.filter(({ text }) => /same/i.test(text)).length,
		);
		return counts.filter((count) => count > 0);
	};
	t.true(Math.max(...(await load("equal"))) >= 6);
	t.deepEqual(await load("near"), [7]);
	await load("none");
	await new Promise(setImmediate);
	t.deepEqual(
		said.filter((line) => line.includes("--dedupe")),
		[
			"6 of 87 texts are equal to others (--dedupe equal); equal texts are in the same set",
			"7 of 87 texts are equal to others (--dedupe near); equal texts are in the same set",
		],
	);
});

test("equal texts in given sets are counted, and a warning says so", async (t) => {
	const folder = await temporaryFolder(t, { train: lines({ a: 10, b: 10 }), other: lines({ a: 2, b: 3 }) });
	const events = new RunEvents();
	const warnings: string[] = [];
	events.listen((event) => void (event.event === "warning" && warnings.push(event.text)));
	const [train, other] = [join(folder, "train"), join(folder, "other")];
	await loadSets(await resolveConfig({ train, validation: other, test: other }), events);
	await new Promise(setImmediate);
	t.deepEqual(warnings, [
		"15 of 30 texts are equal to others (--dedupe equal); 15 of these are equal to a text in another set",
	]);
});

test("header lines in given sets don't become a class", async (t) => {
	const withHeader = (counts: Readonly<Record<string, number>>) => `label\ttext\n${lines(counts)}`;
	const files = {
		train: withHeader({ a: 10, b: 10 }),
		validation: withHeader({ a: 2, b: 2 }),
		test: withHeader({ a: 2, b: 2 }),
	};
	const { train, counts } = await load(t, files, {});
	t.deepEqual(train.labels, ["a", "b"]);
	t.deepEqual(counts, [
		[10, 10],
		[2, 2],
		[2, 2],
	]);
});

test("if a class is so small that balancing leaves less than a batch, the message names it", async (t) => {
	const error = await t.throwsAsync(
		load(t, { data: lines({ ham: 40, other: 3, spam: 40 }) }, { balance: "undersample" }),
		{
			instanceOf: TailtuneError,
			code: "data",
		},
	);
	t.is(
		error?.message,
		'--balance: class "other" has 1 for training, which leaves 3 of all classes, expected at least --batch (8); or --balance none',
	);
	const { counts } = await load(t, { data: lines({ ham: 40, other: 3, spam: 40 }) }, { balance: "none" });
	t.deepEqual(counts, [
		[28, 1, 28],
		[4, 1, 4],
		[8, 1, 8],
	]);
});
