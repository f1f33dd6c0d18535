import test from "ava";
import { effectiveSequence, type Padding, paddingMatters } from "../../../shared/sequences/effective-sequence.ts";

const text = Uint32Array.of(11, 12, 13);
const real = [11, 12, 13];
const padded = [11, 12, 13, 50256, 50256];

// Every combination, padded to 5: the tokens kept, and the rows read.
const CASES: [Padding["token"], boolean, { tokens: number[]; pool: [number, number]; matters: boolean }][] = [
	["last-real", true, { tokens: real, pool: [2, 1], matters: false }],
	["last", true, { tokens: padded, pool: [4, 1], matters: true }],
	["first", true, { tokens: [11], pool: [0, 1], matters: false }],
	["mean", true, { tokens: padded, pool: [0, 5], matters: true }],
	["mean-real", true, { tokens: real, pool: [0, 3], matters: false }],
	["last-real", false, { tokens: padded, pool: [2, 1], matters: true }],
	["last", false, { tokens: padded, pool: [4, 1], matters: true }],
	["first", false, { tokens: padded, pool: [0, 1], matters: true }],
	["mean", false, { tokens: padded, pool: [0, 5], matters: true }],
	["mean-real", false, { tokens: padded, pool: [0, 3], matters: true }],
];

for (const [token, causal, { tokens, pool, matters }] of CASES) {
	test(`${token}, ${causal ? "causal" : "full"} attention: ${tokens.length} tokens are kept`, (t) => {
		const expected = { tokens: Uint32Array.from(tokens), poolFrom: pool[0], poolCount: pool[1] };
		t.is(paddingMatters({ token, causal }), matters);
		t.deepEqual(effectiveSequence(text, { token, causal, padTo: undefined }, 5), expected);
		t.deepEqual(effectiveSequence(text, { token, causal, padTo: 5 }, 9), expected);
	});
}

test("the longest text of its batch, or a text longer than the padding, has no pads", (t) => {
	for (const padTo of [undefined, 2, 3]) {
		const { tokens, poolFrom } = effectiveSequence(text, { token: "last", causal: true, padTo }, 3);
		t.deepEqual([[...tokens], poolFrom], [real, 2]);
	}
});

test("pads have the given id, and the text itself doesn't change", (t) => {
	const { tokens } = effectiveSequence(text, { token: "last", causal: true, padTo: 4, padId: 0 }, 3);
	t.deepEqual([...tokens], [11, 12, 13, 0]);
	tokens.fill(1);
	t.deepEqual([...text], real);
});
