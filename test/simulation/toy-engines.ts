import { denseViews, factorViews, type GradientForm } from "../../shared/updates/gradient-form.ts";
import { checkForm } from "../../worker/engine/check-form.ts";
import type { Engines, Tail, TailInput, Trunk } from "../../worker/engine/engine.ts";
import { info } from "../worker/run/fake-engines.ts";
import { classes, width } from "./toy-run.ts";
import type { Node } from "./world.ts";

const TRUNK_MS_PER_TOKEN = 10;
const TAIL_MS_PER_TEXT = 20;

/**
 * Softmax regression on a simple trunk, which takes virtual time of its node. Every result depends on the text and on
 * the parameters, which are read as late as possible.
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
	let parameters: Float32Array = new Float32Array();
	return {
		info,
		async load(loaded) {
			parameters = loaded;
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
			writeGradient(inputs, errors, form, gradient);
			return Float32Array.from(logits.flat());
		},
		async dispose() {},
	};
}

/** The head's weight [classes, width] is followed by its bias. */
function logitsOf(parameters: Float32Array, { hidden }: TailInput): number[] {
	return Array.from({ length: classes }, (_, label) => {
		const row = parameters.subarray(label * width, (label + 1) * width);
		return row.reduce((sum, weight, i) => sum + weight * (hidden[i] ?? 0), parameters[classes * width + label] ?? 0);
	});
}

/** Returns the gradient of the cross-entropy with respect to the logits. */
function errorsOf(logits: readonly number[], targets: Float32Array): number[] {
	const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
	return logits.map((logit, label) => Math.exp(logit) / total - (targets[label] ?? 0));
}

function writeGradient(
	inputs: readonly TailInput[],
	errors: readonly (readonly number[])[],
	form: GradientForm,
	gradient: Float32Array,
): void {
	const dense = denseViews(form, gradient);
	const weight = dense.get("score.weight");
	const bias = dense.get("score.bias");
	for (const view of dense.values()) view.fill(0);
	const [factors] = factorViews(form, gradient, inputs.length);
	for (const [text, { hidden }] of inputs.entries()) {
		const ofText = errors[text] ?? [];
		factors?.left.set(ofText, text * classes);
		factors?.right.set(hidden, text * width);
		for (const [label, error] of ofText.entries()) {
			if (bias) bias[label] = (bias[label] ?? 0) + error;
			for (let i = 0; weight && i < width; i++)
				weight[label * width + i] = (weight[label * width + i] ?? 0) + error * (hidden[i] ?? 0);
		}
	}
}
