import test from "ava";
import { countByLabel, hashDatasets, toDataset, withLabels } from "../../../coordinator/data/dataset.ts";
import { TailtuneError } from "../../../shared/errors.ts";

const named = (...labels: string[]) =>
	toDataset(labels.map((label, index) => ({ label, text: `text ${index}`, source: `f:${index + 1}` })));

test("labels are sorted, in whatever order the file has them", (t) => {
	const { labels, examples } = named("b", "a", "Z", "b");
	t.deepEqual(labels, ["Z", "a", "b"]);
	t.deepEqual(
		examples.map(({ label }) => label),
		[2, 1, 0, 2],
	);
	t.deepEqual(countByLabel(named("b", "a", "b")), [1, 2]);
});

test("texts get the label indices of another set; a label that it doesn't have is refused with its row", (t) => {
	const { labels, examples } = withLabels(named("c", "a"), ["a", "b", "c"]);
	t.deepEqual(labels, ["a", "b", "c"]);
	t.deepEqual(
		examples.map(({ label }) => label),
		[2, 0],
	);
	const error = t.throws(() => withLabels(named("a", "x"), ["a", "b"]), { instanceOf: TailtuneError, code: "data" });
	t.is(error?.message, 'f:2: label "x", expected one of a, b');
});

test("texts that together are longer than the longest string have a hash", (t) => {
	// JSON writes six characters for each of these.
	const text = "\u0001".repeat(1 << 20);
	const dataset = toDataset(Array.from({ length: 90 }, () => ({ text, label: "a", source: "f:1" })));
	t.regex(hashDatasets([dataset]), /^[0-9a-f]{64}$/);
});
