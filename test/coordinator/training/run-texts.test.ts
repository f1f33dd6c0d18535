import test, { type ExecutionContext } from "ava";
import { divideTokens } from "../../../coordinator/data/divide-tokens.ts";
import { loadSets } from "../../../coordinator/data/load-sets.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { toProbabilities } from "../../../coordinator/metrics/probabilities.ts";
import { planPreparation } from "../../../coordinator/plan/plan-preparation.ts";
import { evaluate } from "../../../coordinator/training/evaluator.ts";
import type { RunContext } from "../../../coordinator/training/run-context.ts";
import { prepareTexts } from "../../../coordinator/training/run-texts.ts";
import { planRunEpoch } from "../../../coordinator/training/trainer.ts";
import type { NewItem } from "../../../shared/messages.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { gpt2 } from "../../gpt2-tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const model = { n_layer: 1, n_embd: 8, n_head: 1, n_positions: 64, vocab_size: 50257, layer_norm_epsilon: 1e-5 };

const tail = plainTail("TRAINABLE_HEAD", 2);

test("oversampled texts are planned once per repeat under ids of their own, and their features are computed once", async (t) => {
	const line = (label: string) => (_: unknown, index: number) => `${label}\t${label} number ${index}`;
	const lines = [Array.from({ length: 12 }, line("fraud")), Array.from({ length: 120 }, line("ok"))].flat();
	const folder = await temporaryFolder(t, { "texts.tsv": lines.join("\n") });
	const settings = { data: `${folder}/texts.tsv`, balance: "oversample", shards: 4, batch: 12 };
	const config = { ...(await resolveConfig(settings)), shards: 4, metric: "accuracy" as const };
	const texts = await prepareTexts(config, await loadSets(config, new RunEvents()), model, gpt2);
	const fraud = texts.train.filter((id) => texts.labelOf(id) === 0);
	t.deepEqual([fraud.length, texts.train.length, texts.learned.length], [8, 92, 168]);
	t.is(texts.countTexts(texts.learned), 168);
	t.deepEqual(
		[...texts.train, ...texts.validation, ...texts.test, ...texts.learned.slice(texts.train.length)],
		texts.planned.map(({ id }) => id),
	);

	const planned = planRunEpoch({ config, texts, tail }, 0).flatMap(({ parts }) => parts);
	const ids = planned.flatMap(({ examples }) => examples).sort((a, b) => a - b);
	t.deepEqual(ids, texts.learned);
	const times = new Map<string, number>();
	for (const id of ids) {
		const { tokens, labels } = texts.sequence(id, 100);
		times.set(`${labels} ${tokens}`, (times.get(`${labels} ${tokens}`) ?? 0) + 1);
	}
	t.is(times.size, texts.train.length);
	t.deepEqual([...new Set(times.values())].sort(), [1, 10, 11]);

	const prepared = planPreparation(texts.planned, texts.padding).flatMap(({ examples }) => examples);
	t.is(prepared.length, texts.train.length + texts.validation.length + texts.test.length);
});

/** Prepares texts, each of as many tokens as its number says: "ham 12" has 12. */
async function prepareLong(t: ExecutionContext, lengths: readonly number[], settings: Record<string, unknown>) {
	const lineOf = (length: number, index: number) =>
		`${index % 2 === 0 ? "ham" : "spam"}\t${[`a${index}b`, ...new Array(length).fill("word")].join(" ")}`;
	const folder = await temporaryFolder(t, { "texts.tsv": lengths.map(lineOf).join("\n") });
	const given = { data: `${folder}/texts.tsv`, balance: "none", batch: 2, shards: 2, ...settings };
	const config = { ...(await resolveConfig(given)), shards: 2, metric: "accuracy" as const };
	return { config, texts: await prepareTexts(config, await loadSets(config, new RunEvents()), model, gpt2) };
}

const LENGTHS = Array.from({ length: 40 }, (_, index) => (index % 5 === 0 ? 30 : 3));

test("windows of a text stay in its set and are all learned; each text is counted and evaluated once", async (t) => {
	const { config, texts } = await prepareLong(t, LENGTHS, { maxTokens: 8, long: "windows" });
	const { texts: whole } = await prepareLong(t, LENGTHS, {});
	for (const set of ["train", "validation", "test"] as const) t.deepEqual(texts[set], whole[set]);
	t.deepEqual(texts.cut, { train: 0, validation: 0, test: 0 });
	const all = [...texts.train, ...texts.validation, ...texts.test];
	const windows = all.flatMap((id) => texts.windowsOf(id));
	t.deepEqual(
		[...windows].sort((a, b) => a - b),
		[...texts.planned.keys()],
	);
	t.is(texts.windows.train + texts.windows.validation + texts.windows.test, windows.length);
	t.true(windows.length > all.length);
	t.deepEqual([texts.countTexts(windows), texts.countTexts(texts.learned)], [all.length, texts.train.length]);
	for (const id of all) {
		const tokens = whole.planned[id]?.tokens ?? new Uint32Array();
		const parts = texts.windowsOf(id).map((window) => texts.planned[window]?.tokens ?? new Uint32Array());
		t.deepEqual(parts, [...divideTokens(tokens, { tokens: 8, long: "windows" }).windows]);
		t.is(tokens.length, texts.details[id]?.tokens ?? 0);
		for (const window of texts.windowsOf(id)) t.is(texts.labelOf(window), whole.labelOf(id));
	}
	const ofTraining = texts.train.flatMap((id) => texts.windowsOf(id)).sort((a, b) => a - b);
	t.deepEqual(texts.learned, ofTraining);
	const parts = planRunEpoch({ config, texts, tail }, 0).flatMap((step) => step.parts);
	const planned = parts.flatMap(({ examples }) => examples);
	t.true(planned.length > ofTraining.length - config.batch);
	t.is(new Set(planned).size, planned.length);
	t.deepEqual(
		planned.filter((id) => !ofTraining.includes(id)),
		[],
	);
});

/** Checks that numbers are equal except for the rounding of a mean. */
function assertNear(t: ExecutionContext, found: readonly number[], expected: readonly number[]): void {
	t.is(found.length, expected.length);
	for (const [index, value] of found.entries()) t.true(Math.abs(value - (expected[index] ?? Number.NaN)) < 1e-12);
}

test("the logits of a text are the mean of its windows' logits", async (t) => {
	const { config, texts } = await prepareLong(t, LENGTHS, { maxTokens: 8, long: "windows" });
	const long = texts.test.find((id) => texts.windowsOf(id).length > 1) as number;
	const logits = new Map(texts.planned.map(({ id }) => [id, [id / 100, id / 50]]));
	const cluster = {
		spec: { runId: "run" },
		tensors: { publishState: async () => {}, dropState: async () => {} },
		dispatcher: {
			async *execute(items: readonly NewItem[]) {
				for (const { sequences } of items)
					yield { logits: sequences.flatMap(({ exampleId }) => logits.get(exampleId)) };
			},
		},
	};
	const run = { config, cluster, texts, interrupt: new AbortController().signal } as unknown as RunContext;
	const state = { parameters: new Float32Array(0) };
	let counted = 0;
	const evaluation = await evaluate(run, { version: 0, state }, texts.test, (count) => {
		counted += count;
	});
	t.is(counted, texts.test.length);
	const ids = texts.windowsOf(long);
	const mean = ids.reduce((sum, id) => sum + id / 100, 0) / ids.length;
	assertNear(t, evaluation.predict(long).probabilities, toProbabilities([mean, 2 * mean], 1));
	t.is(
		evaluation.score(texts.test).accuracy,
		texts.test.filter((id) => texts.labelOf(id) === 1).length / texts.test.length,
	);
	const several = { ...run, config: { ...config, multiLabel: true } } as RunContext;
	const { probabilities } = (await evaluate(several, { version: 0, state }, texts.test)).predict(long);
	const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));
	assertNear(t, probabilities, [sigmoid(mean), sigmoid(2 * mean)]);
});

test("with --pad longest the longest training text is the limit of the other sets too", async (t) => {
	const lengths = [...new Array(40).fill(3), 30, 30];
	const { texts } = await prepareLong(t, lengths, { pad: "longest", split: [0.5, 0.25, 0.25] });
	t.is(texts.padding.padTo, texts.maxTokens);
	const isInTraining = texts.train.some((id) => (texts.details[id]?.tokens ?? 0) > 20);
	t.is(texts.long, "cut");
	t.is(texts.cut.validation + texts.cut.test > 0, !isInTraining);
});
