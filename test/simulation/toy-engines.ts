import { parameterLayout, parameterViews } from "../../shared/model/parameter-layout.ts";
import { rowNumbers } from "../../shared/updates/embedding-rows.ts";
import { denseViews, factorViews, type GradientForm } from "../../shared/updates/gradient-form.ts";
import { checkForm } from "../../worker/engine/check-form.ts";
import { writeRowGradient } from "../../worker/engine/embedding.ts";
import type { Engines, Tail, TailInput, Trunk } from "../../worker/engine/engine.ts";
import { info } from "../worker/run/fake-engines.ts";
import { classes, toyModel, toyTail, width } from "./toy-run.ts";
import type { Node } from "./world.ts";

const TRUNK_MS_PER_TOKEN = 10;
const TAIL_MS_PER_TEXT = 20;

/**
 * Softmax regression on a simple trunk and on embeddings, which takes virtual time of its node. Every result depends on
 * the text and on the parameters, which are read as late as possible.
 * @param takeFault returns whether the current computation fails
 */
export function createToyEngines(node: Node, takeFault: () => boolean): Engines {
	const compute = async (ms: number) => {
		await node.sleep(ms * node.slowness);
		if (takeFault()) throw new Error("the device is lost");
	};
	const trunk: Trunk = {
		info,
		async hiddenStates(sequences) {
			await compute(TRUNK_MS_PER_TOKEN * sequences.reduce((sum, { length }) => sum + length, 0));
			return sequences.map((tokens) =>
				new Float32Array(tokens.length * width).map((_, i) => Math.sin((tokens[Math.floor(i / width)] ?? 0) + i)),
			);
		},
		async dispose() {},
	};
	return { trunk, tail: createToyTail(compute) };
}

function createToyTail(compute: (ms: number) => Promise<void>): Tail {
	let parameters: Parameters = new Map();
	return {
		info,
		async load(loaded) {
			parameters = parameterViews(layout, loaded);
		},
		async logits(inputs) {
			await compute(TAIL_MS_PER_TEXT * inputs.length);
			return Float32Array.from(inputs.flatMap((input) => logitsOf(parameters, input)));
		},
		async gradient(inputs, form, gradient) {
			checkForm(inputs, form, gradient);
			await compute(TAIL_MS_PER_TEXT * inputs.length);
			const logits = inputs.map((input) => logitsOf(parameters, input));
			const errors = inputs.map(({ targets }, i) =>
				errorsOf(logits[i] ?? [], targets).map((error) => error / inputs.length),
			);
			writeGradient(parameters, inputs, errors, form, gradient);
			return Float32Array.from(logits.flat());
		},
		async dispose() {},
	};
}

type Parameters = ReadonlyMap<string, Float32Array>;

const layout = parameterLayout(toyTail, toyModel.config);

/** The state that the head reads: the features of the text's last row plus the mean of the text's embeddings. */
function stateOf(parameters: Parameters, { hidden, tokens }: TailInput): Float32Array {
	const state = hidden.slice(0, width);
	const [ofTokens, ofPositions] = [parameters.get("wte.weight"), parameters.get("wpe.weight")];
	for (const [position, token] of tokens.entries())
		for (let i = 0; i < width; i++) {
			const sum = (ofTokens?.[token * width + i] ?? 0) + (ofPositions?.[position * width + i] ?? 0);
			state[i] = (state[i] ?? 0) + sum / tokens.length;
		}
	return state;
}

function logitsOf(parameters: Parameters, input: TailInput): number[] {
	const state = stateOf(parameters, input);
	return Array.from({ length: classes }, (_, label) => {
		const row = parameters.get("score.weight")?.subarray(label * width, (label + 1) * width);
		const bias = parameters.get("score.bias")?.[label] ?? 0;
		return row?.reduce((sum, weight, i) => sum + weight * (state[i] ?? 0), bias) ?? 0;
	});
}

/** Returns the gradient of the cross-entropy with respect to the logits. */
function errorsOf(logits: readonly number[], targets: Float32Array): number[] {
	const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
	return logits.map((logit, label) => Math.exp(logit) / total - (targets[label] ?? 0));
}

function writeGradient(
	parameters: Parameters,
	inputs: readonly TailInput[],
	errors: readonly (readonly number[])[],
	form: GradientForm,
	gradient: Float32Array,
): void {
	const head = parameters.get("score.weight");
	const dense = denseViews(form, gradient);
	const weight = dense.get("score.weight");
	const bias = dense.get("score.bias");
	for (const view of dense.values()) view.fill(0);
	const [factors] = factorViews(form, gradient, inputs.length);
	const states = inputs.map((input) => stateOf(parameters, input));
	for (const [text, hidden] of states.entries()) {
		const ofText = errors[text] ?? [];
		factors?.left.set(ofText, text * classes);
		factors?.right.set(hidden, text * width);
		for (const [label, error] of ofText.entries()) {
			if (bias) bias[label] = (bias[label] ?? 0) + error;
			for (let i = 0; weight && i < width; i++)
				weight[label * width + i] = (weight[label * width + i] ?? 0) + error * (hidden[i] ?? 0);
		}
	}
	const ofEmbeddings = inputs.map(({ tokens }, text) => {
		const ofToken = Float32Array.from({ length: width }, (_, i) => {
			const weights = (errors[text] ?? []).map((error, label) => error * (head?.[label * width + i] ?? 0));
			return weights.reduce((sum, weight) => sum + weight, 0) / tokens.length;
		});
		return Float32Array.from({ length: tokens.length * width }, (_, i) => ofToken[i % width] ?? 0);
	});
	const rows = rowNumbers(form, gradient, inputs.length);
	if (form.table) writeRowGradient(inputs, ofEmbeddings, form.table, rows);
}
