import { TailtuneError } from "../../shared/errors.ts";
import type { RunSpec, Sequence, WorkItem } from "../../shared/messages.ts";
import type { Gpt2Config } from "../../shared/model/gpt2-config.ts";
import { formOfPart, type GradientForm } from "../../shared/updates/gradient-form.ts";

const KINDS = new Set(["WORK_KIND_PREPARE", "WORK_KIND_GRADIENT", "WORK_KIND_EVALUATE", "WORK_KIND_CLASSIFY"]);

/**
 * Checks all fields of an item against the run and the model.
 * @param form of the run's gradients
 * @throws TailtuneError "protocol" that names the item and the field, the value found and the value expected
 */
export function checkItem(item: WorkItem, run: RunSpec, config: Gpt2Config, form: GradientForm): void {
	const name = `item ${item.serial}, ${item.kind} of version ${item.parameterVersion}`;
	const expect = (isTrue: boolean, what: string) => {
		if (!isTrue) throw new TailtuneError("protocol", `${name}: ${what}`);
	};
	expect(item.runId === run.runId, `of run ${item.runId}, expected ${run.runId}`);
	expect(KINDS.has(item.kind), `unknown kind of work, expected one of ${[...KINDS].join(", ")}`);
	expect(item.shard < run.shards, `shard ${item.shard}, expected less than ${run.shards}`);
	expect(item.sequences.length > 0, "no sequences, expected at least one");
	const { factors } = formOfPart(form, item.sequences.length);
	const isFactored = item.kind === "WORK_KIND_GRADIENT" && factors.length > 0;
	if (isFactored)
		expect(
			item.sequences.length <= run.factorTexts,
			`${item.sequences.length} texts, expected at most ${run.factorTexts}`,
		);
	const needsLabel = item.kind === "WORK_KIND_GRADIENT" && !run.tail?.loss?.multiLabel;
	const classes = run.tail?.classes ?? 0;
	const limits = { ...config, classes, mostRows: isFactored ? 1 : config.n_positions, needsLabel };
	for (const sequence of item.sequences) {
		const fault = faultOf(sequence, limits);
		expect(fault === undefined, `example ${sequence.exampleId}: ${fault}`);
	}
}

interface Limits extends Pick<Gpt2Config, "n_positions" | "vocab_size"> {
	readonly classes: number;
	/** Most rows of a text that the head reads. */
	readonly mostRows: number;
	/** Whether each text must have exactly one label. */
	readonly needsLabel: boolean;
}

function faultOf({ tokens, poolFrom, poolCount, labels }: Sequence, limits: Limits): string | undefined {
	const { n_positions: context, vocab_size: vocabulary, classes, mostRows, needsLabel } = limits;
	if (tokens.length < 1 || tokens.length > context) return `${tokens.length} tokens, expected 1 to ${context}`;
	const stranger = tokens.find((token) => token >= vocabulary);
	if (stranger !== undefined) return `token ${stranger}, expected less than the vocabulary's ${vocabulary}`;
	if (poolCount < 1 || poolFrom + poolCount > tokens.length)
		return `pooled rows ${poolFrom} to ${poolFrom + poolCount}, expected at least one of the ${tokens.length}`;
	if (poolCount > mostRows) return `${poolCount} pooled rows, expected 1: the run's gradients are factors`;
	if (needsLabel && labels.length !== 1) return `${labels.length} labels, expected 1`;
	const unknown = labels.find((label) => label >= classes);
	if (unknown !== undefined) return `label ${unknown}, expected less than ${classes}`;
	return undefined;
}
