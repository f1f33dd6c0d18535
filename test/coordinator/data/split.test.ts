import test from "ava";
import fc from "fast-check";
import { repeatSmallLabels, undersample } from "../../../coordinator/data/balance.ts";
import { countByLabel, type Dataset, toDataset } from "../../../coordinator/data/dataset.ts";
import { foldText, groupEqual } from "../../../coordinator/data/group-equal.ts";
import { shares } from "../../../coordinator/data/shares.ts";
import {
	assertSeveralLabels,
	countOverlap,
	split,
	splitAtRandom,
	splitForFold,
} from "../../../coordinator/data/split.ts";
import { seededShuffle } from "../../../coordinator/plan/seeded-shuffle.ts";
import { TailtuneError } from "../../../shared/errors.ts";

/** A data set with the given number of texts of each label; every text is different. */
const withCounts = (counts: readonly number[]): Dataset => {
	const rows = counts.flatMap((count, label) =>
		Array.from({ length: count }, (_, index) => ({ label: `label ${label}`, text: `${label}/${index}` })),
	);
	return toDataset(rows.map((row, index) => ({ ...row, source: `f:${index + 1}` })));
};
const datasets = fc.array(fc.integer({ min: 5, max: 40 }), { minLength: 2, maxLength: 4 }).map(withCounts);
const fractions: [number, number, number] = [0.7, 0.1, 0.2];
const textsOf = ({ examples }: Dataset) => examples.map(({ text }) => text);

test("balancing keeps exactly as many texts of each label as the smallest label has, none of them twice", (t) => {
	fc.assert(
		fc.property(datasets, fc.nat(), (dataset, seed) => {
			const balanced = undersample(dataset, seed);
			const smallest = Math.min(...countByLabel(dataset));
			return (
				countByLabel(balanced).every((count) => count === smallest) &&
				new Set(balanced.examples).size === balanced.examples.length &&
				balanced.examples.every((example) => dataset.examples.includes(example))
			);
		}),
	);
	t.pass();
});

test("oversampling fills every label up to the size of the largest, with repeats of its texts, each equally often", (t) => {
	fc.assert(
		fc.property(datasets, fc.nat(), (dataset, seed) => {
			const repeats = repeatSmallLabels(dataset, seed);
			const largest = Math.max(...countByLabel(dataset));
			const times = new Map(dataset.examples.map((example) => [example, 1]));
			for (const repeat of repeats) times.set(repeat, (times.get(repeat) ?? Number.NaN) + 1);
			t.true(countByLabel({ ...dataset, examples: [...dataset.examples, ...repeats] }).every((n) => n === largest));
			for (const label of dataset.labels.keys()) {
				const ofLabel = dataset.examples.filter((example) => example.label === label);
				const counts = ofLabel.map((example) => times.get(example) ?? 0);
				t.true(Math.max(...counts) - Math.min(...counts) <= 1);
			}
			t.deepEqual(repeatSmallLabels(dataset, seed), repeats);
		}),
	);
	t.notDeepEqual(repeatSmallLabels(withCounts([60, 20]), 1), repeatSmallLabels(withCounts([60, 20]), 2));
	t.is(
		t.throws(() => repeatSmallLabels(withCounts([...Array.from({ length: 4001 }, () => 1), 1001]), 1), {
			instanceOf: TailtuneError,
			code: "data",
		})?.message,
		"--balance: oversample: 4002 labels of up to 1001 texts need 4001000 repeats, expected at most 4000000; or --balance none",
	);
});

test("the time of balancing grows with the number of texts, not with labels times texts", (t) => {
	const labels = 150_000;
	const balanced = undersample(withCounts(Array.from({ length: labels }, () => 1)), 1);
	t.is(balanced.examples.length, labels);
});

test("shares are those of the largest-remainder method, and every set gets a text", (t) => {
	t.deepEqual(shares(747, fractions), [523, 75, 149]);
	t.deepEqual(shares(50, fractions), [35, 5, 10]);
	t.deepEqual(shares(10, fractions), [7, 1, 2]);
	t.deepEqual(shares(4, fractions), [2, 1, 1]);
	t.deepEqual(shares(3, fractions), [1, 1, 1]);
	t.deepEqual(shares(100, [0.98, 0.01, 0.01]), [98, 1, 1]);
	t.deepEqual(shares(10, [0.98, 0.01, 0.01]), [8, 1, 1]);
	fc.assert(
		fc.property(fc.integer({ min: 3, max: 1e6 }), (count) => {
			const sizes = shares(count, fractions);
			t.is(
				sizes.reduce((sum, size) => sum + size, 0),
				count,
			);
			t.true(
				sizes.every((size, set) => size >= 1 && (count < 10 || Math.abs(size - count * (fractions[set] ?? 0)) < 1)),
			);
		}),
	);
});

test("a split puts every text in one set, and gives each set its share of each label, in any order of the file", (t) => {
	fc.assert(
		fc.property(datasets, fc.nat(), (dataset, seed) => {
			const sets = split(dataset, fractions, seed);
			const all = Object.values(sets).flatMap(({ examples }) => examples);
			const counts = Object.values(sets).map(countByLabel);
			return (
				new Set(all).size === dataset.examples.length &&
				all.length === dataset.examples.length &&
				countByLabel(dataset).every((count, label) =>
					shares(count, fractions).every((share, set) => counts[set]?.[label] === share),
				)
			);
		}),
	);
	t.pass();
});

test("equal texts are in one set, every set has every label, and without equal texts the split is the same", (t) => {
	const variants = ["Win 100 now", "win  7 NOW", "ｗｉｎ 3 now"];
	const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 25 }), fc.nat(2), fc.nat(2)), {
		minLength: 3,
		maxLength: 90,
	});
	fc.assert(
		fc.property(rows, fc.nat(), (of, seed) => {
			const texts = of.map(([word, label, variant]) => ({
				label: `label ${label}`,
				text: `${variants[variant]} ${"x".repeat(word)}`,
			}));
			// At least three groups of each label.
			const extra = [0, 1, 2].flatMap((label) =>
				[0, 1, 2].map((i) => ({ label: `label ${label}`, text: `only ${"ab".repeat(i)}${"c".repeat(label)}` })),
			);
			const dataset = toDataset([...texts, ...extra].map((row, i) => ({ ...row, source: `f:${i}` })));
			const { train, validation, test: last } = split(dataset, fractions, seed, groupEqual(dataset.examples, "near"));
			const sets = [train, validation, last];
			const all = sets.flatMap(({ examples }) => examples);
			t.is(new Set(all).size, dataset.examples.length);
			t.is(all.length, dataset.examples.length);
			t.true(sets.every((set) => countByLabel(set).every((count) => count > 0)));
			const folded = sets.map(({ examples }) => new Set(examples.map(({ text }) => foldText(text))));
			const distinct = new Set(all.map(({ text }) => foldText(text)));
			t.is(
				folded.reduce((sum, { size }) => sum + size, 0),
				distinct.size,
			);
		}),
	);
	const dataset = withCounts([60, 20, 3]);
	t.deepEqual(split(dataset, fractions, 1, groupEqual(dataset.examples, "equal")), split(dataset, fractions, 1));
});

test("each text is in the test set of one fold, with its share of each label; equal texts are in one set of a fold", (t) => {
	const groupNear = (examples: readonly { readonly text: string }[]) => groupEqual(examples, "near");
	// Texts "0/1" and "0/2" of a label are nearly equal: one group for each label. Pairs are groups of two.
	const pairs = (dataset: Dataset): Dataset => ({
		...dataset,
		examples: dataset.examples.flatMap((example, i) => {
			const text = `${example.label} ${"a".repeat(i)}`;
			return [
				{ ...example, text },
				{ ...example, text: text.toUpperCase() },
			];
		}),
	});
	fc.assert(
		fc.property(datasets, fc.nat(), fc.constantFrom(3, 4, 5), (counts, seed, of) => {
			const dataset = pairs(counts);
			const folds = Array.from({ length: of }, (_, i) =>
				splitForFold(dataset, { number: i + 1, of }, fractions, seed, groupNear),
			);
			t.deepEqual(folds.flatMap(({ test: tested }) => textsOf(tested)).sort(), textsOf(dataset).sort());
			for (const { train, validation, test: tested } of folds) {
				const sets = [train, validation, tested];
				t.deepEqual(sets.flatMap(textsOf).sort(), textsOf(dataset).sort());
				t.true(sets.every((set) => countByLabel(set).every((count) => count > 0)));
				const folded = sets.map((set) => new Set(textsOf(set).map(foldText)));
				t.is(
					folded.reduce((sum, { size }) => sum + size, 0),
					dataset.examples.length / 2,
				);
				for (const [label, count] of countByLabel(dataset).entries()) {
					t.true(Math.abs((countByLabel(tested)[label] ?? 0) - count / of) <= 2);
					const left = count - (countByLabel(tested)[label] ?? 0);
					t.true(Math.abs((countByLabel(train)[label] ?? 0) - (left * 7) / 8) <= 2);
				}
			}
		}),
		{ numRuns: 30 },
	);
	t.throws(() => splitForFold(withCounts([9, 4]), { number: 1, of: 5 }, fractions, 1, groupNear), {
		code: "data",
		message: 'f:10: label "label 1": found 4 texts, expected at least 5, one for each fold',
	});
});

test("if a label has fewer than 3 groups of equal texts, its texts are assigned one by one", (t) => {
	const dataset = withCounts([30, 20]);
	t.is(groupEqual(dataset.examples, "near").length, 1);
	t.deepEqual(split(dataset, fractions, 1, groupEqual(dataset.examples, "near")), split(dataset, fractions, 1));
});

test("texts are nearly equal if only case, numbers, white space or the width of letters differ", (t) => {
	const same = ["Call 0800 100  now", " call 7 12 NOW\n", "ｃａｌｌ ４ 5\u00a0now"];
	t.deepEqual(new Set(same.map(foldText)), new Set(["call 0 0 now"]));
	t.not(foldText("call 0 now"), foldText("call now"));
	const examples = [...same, same[0] ?? ""].map((text) => ({ text }));
	t.deepEqual(groupEqual(examples, "near"), [[0, 1, 2, 3]]);
	t.deepEqual(groupEqual(examples, "equal"), [[0, 3], [1], [2]]);
	t.deepEqual(groupEqual(examples, "none"), [[0], [1], [2], [3]]);
});

test("the texts of a set are in random order, not label by label", (t) => {
	const { train } = split(withCounts([100, 100]), fractions, 1);
	const first = train.examples.slice(0, 70).filter(({ label }) => label === 0).length;
	t.true(first > 20 && first < 50, `${first} of the first 70`);
});

test("a random split puts every text in one set; its sizes are the book's", (t) => {
	fc.assert(
		fc.property(datasets, fc.nat(), (dataset, seed) => {
			const { train, validation, test } = splitAtRandom(dataset, fractions, seed);
			const all = [train, validation, test].flatMap(({ examples }) => examples);
			const size = dataset.examples.length;
			return (
				all.length === size &&
				new Set(all).size === size &&
				train.examples.length === Math.floor(size * 0.7) &&
				validation.examples.length === Math.floor(size * 0.1) &&
				all.every((example) => dataset.examples.includes(example))
			);
		}),
	);
	const sets = splitAtRandom(undersample(withCounts([4827, 747]), 123), fractions, 123);
	t.deepEqual(
		Object.values(sets).map(({ examples }) => examples.length),
		[1045, 149, 300],
	);
});

test("the same seed gives the same choice and split, another seed gives others", (t) => {
	const dataset = withCounts([60, 20]);
	t.deepEqual(textsOf(undersample(dataset, 1)), textsOf(undersample(dataset, 1)));
	t.notDeepEqual(textsOf(undersample(dataset, 1)), textsOf(undersample(dataset, 2)));
	for (const by of [split, splitAtRandom]) {
		t.deepEqual(textsOf(by(dataset, fractions, 1).train), textsOf(by(dataset, fractions, 1).train));
		t.notDeepEqual(textsOf(by(dataset, fractions, 1).train), textsOf(by(dataset, fractions, 2).train));
	}
});

test("a shuffle with a known seed gives a fixed order", (t) => {
	t.deepEqual(seededShuffle("abcdefgh", 123, "split").join(""), "cgbhfdea");
	t.notDeepEqual(seededShuffle("abcdefgh", 123, "other"), seededShuffle("abcdefgh", 123, "split"));
});

test("a single label, a label with fewer than 3 texts and a random split with an empty set are refused", (t) => {
	const refusal = (dataset: Dataset) =>
		t.throws(() => split(dataset, fractions, 1), { instanceOf: TailtuneError, code: "data" })?.message;
	t.is(refusal(withCounts([9])), 'f:1: found only label "label 0" in 9 texts, expected at least 2 labels');
	t.throws(() => assertSeveralLabels(withCounts([9])), { code: "data" });
	t.is(refusal(withCounts([9, 2])), 'f:10: label "label 1": found 2 texts, expected at least 3, one for each set');
	t.is(
		t.throws(() => splitAtRandom(withCounts([3, 3]), fractions, 1), { instanceOf: TailtuneError, code: "data" })
			?.message,
		"--split: 0.7,0.1,0.2 of 6 texts leaves none for validation, expected at least one in each set",
	);
});

test("overlap counts the test texts that also occur in training", (t) => {
	const texts = (...all: string[]) => all.map((text) => ({ text }));
	t.is(countOverlap(texts("a", "b", "b"), texts("b", "B", "c", "b", "a ")), 2);
});
