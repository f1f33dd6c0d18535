import test from "ava";
import fc from "fast-check";
import { averageLogits, divideTokens } from "../../../coordinator/data/divide-tokens.ts";
import { LONG_TEXTS } from "../../../shared/settings/config.ts";

const countTo = (length: number) => Uint32Array.from({ length }, (_, index) => index);
const lists = (windows: readonly Uint32Array[]) => windows.map((window) => [...window]);

test("a longer text is cut, keeps both ends, or becomes windows of half a limit's stride; the last ends with the text", (t) => {
	const tokens = countTo(7);
	const divide = (most: number, long: (typeof LONG_TEXTS)[number]) => {
		const { windows, ...rest } = divideTokens(tokens, { tokens: most, long });
		return { windows: lists(windows), ...rest };
	};
	t.deepEqual(divide(4, "cut"), { windows: [[0, 1, 2, 3]], tokens: 4, cut: true });
	t.deepEqual(divide(4, "head-tail"), { windows: [[0, 1, 5, 6]], tokens: 4, cut: true });
	t.deepEqual(divide(5, "head-tail"), { windows: [[0, 1, 2, 5, 6]], tokens: 5, cut: true });
	t.deepEqual(divide(1, "head-tail"), { windows: [[0]], tokens: 1, cut: true });
	const windows = [
		[0, 1, 2, 3],
		[2, 3, 4, 5],
		[3, 4, 5, 6],
	];
	t.deepEqual(divide(4, "windows"), { windows, tokens: 7, cut: false });
	t.deepEqual(divide(1, "windows").windows, lists([...tokens].map((token) => Uint32Array.of(token))));
});

test("a text within the limit stays as it is", (t) => {
	for (const long of LONG_TEXTS) {
		const tokens = countTo(4);
		t.deepEqual(divideTokens(tokens, { tokens: 4, long }), { windows: [tokens], tokens: 4, cut: false });
	}
});

test("windows have the limit's length, begin at most half of it apart, and cover each token of the text", (t) => {
	fc.assert(
		fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100 }), (most, more) => {
			const { windows } = divideTokens(countTo(most + more), { tokens: most, long: "windows" });
			const starts = windows.map(([start = -1]) => start);
			t.true(windows.every((window) => window.length === most));
			t.true(windows.every((window) => window.every((token, index) => token === (window[0] ?? 0) + index)));
			t.is(starts[0], 0);
			t.is(starts.at(-1), more);
			for (const [index, start] of starts.slice(1).entries()) {
				const step = start - (starts[index] ?? 0);
				t.true(step > 0 && step <= Math.max(1, Math.floor(most / 2)));
			}
		}),
	);
});

test("the logits of a text are the mean of its windows' logits, and unchanged for one window", (t) => {
	t.deepEqual(averageLogits([[0.1, -0.2]]), [0.1, -0.2]);
	t.deepEqual(
		averageLogits([
			[1, 2],
			[3, 5],
			[5, 8],
		]),
		[3, 5],
	);
});
