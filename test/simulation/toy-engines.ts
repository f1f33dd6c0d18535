import type { Engines, Tail, TailInput, Trunk } from "../../worker/engine/engine.ts";
import { classes, info, width } from "../worker/run/fake-engines.ts";
import type { Node } from "./world.ts";

const TRUNK_MS_PER_TOKEN = 10;
const TAIL_MS_PER_TEXT = 20;

/**
 * Softmax regression on a simple trunk, which takes virtual time of its node. Every result depends on the text and on
 * all parameters, which are read as late as possible.
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
	return { trunk, tail: toyTail(compute) };
}

function toyTail(compute: (ms: number) => Promise<void>): Tail {
	let parameters: Float32Array = new Float32Array();
	const logitsOf = ({ hidden }: TailInput) =>
		Array.from({ length: classes }, (_, label) =>
			parameters.reduce((sum, parameter, i) => sum + parameter * featureOf(hidden, i, label), 0),
		);
	return {
		info,
		async load(loaded) {
			parameters = loaded;
		},
		async logits(inputs) {
			await compute(TAIL_MS_PER_TEXT * inputs.length);
			return Float32Array.from(inputs.flatMap(logitsOf));
		},
		async gradient(inputs, _form, gradient) {
			await compute(TAIL_MS_PER_TEXT * inputs.length);
			gradient.fill(0);
			return Float32Array.from(
				inputs.flatMap((input) => {
					const logits = logitsOf(input);
					const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
					for (const [label, logit] of logits.entries()) {
						const error = (Math.exp(logit) / total - (label === input.label ? 1 : 0)) / inputs.length;
						for (let i = 0; i < gradient.length; i++)
							gradient[i] = (gradient[i] ?? 0) + error * featureOf(input.hidden, i, label);
					}
					return logits;
				}),
			);
		},
		async dispose() {},
	};
}

/** Returns the factor of a parameter. */
function featureOf(hidden: Float32Array, parameter: number, label: number): number {
	return Math.cos(parameter * (label + 1) + (hidden[parameter % hidden.length] ?? 0));
}
