import test from "ava";
import { loadSets } from "../../../coordinator/data/load-sets.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { planPreparation } from "../../../coordinator/plan/plan-preparation.ts";
import { prepareTexts } from "../../../coordinator/training/run-texts.ts";
import { planRunEpoch } from "../../../coordinator/training/trainer.ts";
import { resolveConfig } from "../../../shared/settings/resolve-config.ts";
import { temporaryFolder } from "../../temporary-folder.ts";

const model = { n_layer: 1, n_embd: 8, n_head: 1, n_positions: 64, vocab_size: 50257, layer_norm_epsilon: 1e-5 };

test("oversampled texts are planned once per repeat under ids of their own, and their features are computed once", async (t) => {
	const line = (label: string) => (_: unknown, index: number) => `${label}\t${label} number ${index}`;
	const lines = [Array.from({ length: 12 }, line("fraud")), Array.from({ length: 120 }, line("ok"))].flat();
	const folder = await temporaryFolder(t, { "texts.tsv": lines.join("\n") });
	const settings = { data: `${folder}/texts.tsv`, balance: "oversample", shards: 4, batch: 12 };
	const config = { ...(await resolveConfig(settings)), shards: 4, metric: "accuracy" as const };
	const texts = await prepareTexts(config, await loadSets(config, new RunEvents()), model);
	const fraud = texts.train.filter((id) => texts.labelOf(id) === 0);
	t.deepEqual([fraud.length, texts.train.length, texts.repeats.length], [8, 92, 76]);
	t.deepEqual(
		[...texts.train, ...texts.validation, ...texts.test, ...texts.repeats],
		texts.planned.map(({ id }) => id),
	);

	const tail = {
		trainable: "TRAINABLE_HEAD",
		classes: 2,
		causal: true,
		loraRank: 0,
		loraScale: 0,
		loss: null,
	} as const;
	const planned = planRunEpoch({ config, texts, tail }, 0).flatMap(({ parts }) => parts);
	const ids = planned.flatMap(({ examples }) => examples).sort((a, b) => a - b);
	t.deepEqual(ids, [...texts.train, ...texts.repeats]);
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
