import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "ava";
import fc from "fast-check";
import { labelsOf } from "../../../coordinator/data/dataset.ts";
import { groupEqual } from "../../../coordinator/data/group-equal.ts";
import { readDataset } from "../../../coordinator/data/read-dataset.ts";
import { shares } from "../../../coordinator/data/shares.ts";
import { split, splitForFold } from "../../../coordinator/data/split.ts";
import { stratify } from "../../../coordinator/data/stratify.ts";
import { newFolder } from "../../new-folder.ts";

const files: readonly (readonly [name: string, content: string])[] = [
	["bars.csv", "text,label\none,b|a\ntwo,\nthree, a | a\n"],
	["lists.csv", 'text,label\none,"[""b"", ""a""]"\ntwo,[]\nthree,"[""a""]"\n'],
	["bars.tsv", "label\ttext\na|b\tone\n\ttwo\na\tthree\n"],
	[
		"lists.jsonl",
		'{"text":"one","label":["b","a"]}\n{"text":"two","label":null}\n{"text":"three","label":["a","a "]}\n',
	],
];

for (const [name, content] of files) {
	test(`several labels per text are read from ${name}`, async (t) => {
		const path = join(await newFolder(), name);
		await writeFile(path, content);
		const { labels, examples } = await readDataset(path, { multiLabel: true });
		t.deepEqual(labels, ["a", "b"]);
		t.deepEqual(
			examples.map((example) => [example.text, ...labelsOf(example)]),
			[["one", 0, 1], ["two"], ["three", 0]],
		);
	});
}

const faulty = [
	["an empty label", "a||b", /^.*texts\.csv:2: labels: found "" in "a\|\|b", expected labels with \| between$/],
	[
		"a list of other values",
		'"[""a"", {}]"',
		/^.*texts\.csv:2: labels: found \["a", {}\], expected a list of strings$/,
	],
	[
		"a list label with a bar",
		'"[""a|b""]"',
		/^.*texts\.csv:2: labels: found "a\|b" in "\[\\"a\|b\\"\]", expected labels/,
	],
] as const;

for (const [fault, label, message] of faulty) {
	test(`several labels per text: ${fault} is refused`, async (t) => {
		const path = join(await newFolder(), "texts.csv");
		await writeFile(path, `text,label\none,${label}\n`);
		await t.throwsAsync(readDataset(path, { multiLabel: true }), { code: "data", message });
	});
}

test("a list of labels without --multi-label is refused with advice", async (t) => {
	const path = join(await newFolder(), "texts.jsonl");
	await writeFile(path, '{"text":"one","label":["b","a"]}\n');
	const message = /label: found a list, expected a string or a number; or --multi-label for several labels per text$/;
	await t.throwsAsync(readDataset(path), { message });
});

const fractions = [0.7, 0.1, 0.2] as const;

test("texts with one label each are divided in the same numbers as without --multi-label", (t) => {
	const labelSets = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 30, maxLength: 200 });
	fc.assert(
		fc.property(labelSets, fc.nat(), (own, seed) => {
			const sets = stratify(
				own.map((label) => [label]),
				4,
				fractions,
				seed,
			);
			for (const label of [0, 1, 2, 3]) {
				const count = own.filter((one) => one === label).length;
				if (count < 3) continue;
				const inSets = [0, 1, 2].map((set) => own.filter((one, text) => one === label && sets[text] === set).length);
				t.deepEqual(inSets, shares(count, fractions));
			}
		}),
	);
});

test("equal texts with several labels are in the same set", (t) => {
	const examples = Array.from({ length: 90 }, (_, i) => {
		const labels = [...(i % 2 === 0 ? [0] : []), ...(i % 3 === 0 ? [1] : [])];
		return { text: `text ${Math.floor(i / 3)}`, source: "", label: labels[0] ?? 0, labels };
	});
	const sets = split({ labels: ["a", "b"], examples }, fractions, 3, groupEqual(examples, "equal"));
	const textsIn = [sets.train, sets.validation, sets.test].map((set) => new Set(set.examples.map(({ text }) => text)));
	t.is(
		textsIn.reduce((sum, { size }) => sum + size, 0),
		30,
	);
	t.true(textsIn.every(({ size }) => size > 0));
});

test("texts with several labels: each is in one set, and the labels have nearly the wanted shares", (t) => {
	const examples = Array.from({ length: 2000 }, (_, i) => {
		const labels = [2, 3, 7, 31].flatMap((every, label) => (i % every === 0 ? [label] : []));
		return { text: `text ${i}`, source: "", label: labels[0] ?? 0, labels };
	});
	const sets = split({ labels: ["a", "b", "c", "d"], examples }, fractions, 7);
	const all = [sets.train, sets.validation, sets.test];
	t.is(new Set(all.flatMap((set) => set.examples)).size, examples.length);
	const countOf = (label: number, within: readonly { readonly labels?: readonly number[] }[]) =>
		within.filter(({ labels }) => labels?.includes(label)).length;
	for (const label of [0, 1, 2, 3]) {
		const wanted = shares(countOf(label, examples), fractions);
		for (const [set, { examples: own }] of all.entries())
			t.true(Math.abs(countOf(label, own) - (wanted[set] ?? 0)) <= 2, `label ${label}, set ${set}`);
	}
	t.true(Math.abs(sets.train.examples.length - 1400) <= 10);

	const single = (texts: readonly unknown[]) => texts.map((_, index) => [index]);
	const folds = [1, 2, 3, 4].map((number) =>
		splitForFold({ labels: ["a", "b", "c", "d"], examples }, { number, of: 4 }, fractions, 7, single),
	);
	t.is(new Set(folds.flatMap((fold) => fold.test.examples)).size, examples.length);
	for (const label of [0, 1, 2, 3])
		for (const fold of folds)
			t.true(Math.abs(countOf(label, fold.test.examples) - countOf(label, examples) / 4) <= 2, `label ${label}`);
});
