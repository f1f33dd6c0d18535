import type { RunSpec, Sequence } from "../../../shared/messages.ts";
import type { ModelFiles } from "../../../shared/model/model-files.ts";
import { parameterLayout } from "../../../shared/model/parameter-layout.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import type { GradientForm } from "../../../shared/updates/gradient-form.ts";
import type { EngineInfo, Tail, TailInput, Trunk } from "../../../worker/engine/engine.ts";
import { someRun } from "../../shared/bus/messages.ts";

export const info: EngineInfo = { engine: "fake", backend: "none", device: "paper", threads: 1, version: "0" };
export const width = 3;
export const classes = 2;

const config = {
	n_layer: 2,
	n_embd: width,
	n_head: 1,
	n_positions: 8,
	vocab_size: 50,
	layer_norm_epsilon: 1e-5,
};

/** A model of which only the shape is used. */
export const fakeModel = { folder: "fake", config, tensors: new Map() } as unknown as ModelFiles;

export const lastBlockRun: RunSpec = someRun();
export const headRun: RunSpec = someRun({
	tail: plainTail("TRAINABLE_HEAD", classes),
});
export const allRun: RunSpec = someRun({
	tail: plainTail("TRAINABLE_ALL", classes),
});

export function layoutOf(run: RunSpec) {
	return parameterLayout(run.tail as NonNullable<RunSpec["tail"]>, config);
}

export function someSequence(tokens: number[], fields: Partial<Sequence> = {}): Sequence {
	return { exampleId: tokens[0] ?? 0, tokens, poolFrom: tokens.length - 1, poolCount: 1, labels: [0], ...fields };
}

/** A trunk whose states are 100 token + row + column / 8. It records its inputs. */
export class FakeTrunk implements Trunk {
	readonly info = info;
	readonly calls: number[][][] = [];
	isDisposed = false;

	async hiddenStates(sequences: readonly Uint32Array[]): Promise<Float32Array[]> {
		this.calls.push(sequences.map((tokens) => [...tokens]));
		return sequences.map((tokens) => {
			const states = new Float32Array(tokens.length * width);
			return states.map(
				(_, i) => 100 * (tokens[Math.floor(i / width)] as number) + Math.floor(i / width) + (i % width) / 8,
			);
		});
	}

	async dispose(): Promise<void> {
		this.isDisposed = true;
	}
}

/** A tail with logits (first parameter, sum of the pooled rows); each number of its gradient is the sum of both. */
export class FakeTail implements Tail {
	readonly info = info;
	readonly loads: number[] = [];
	readonly inputs: TailInput[] = [];
	isDisposed = false;
	/** Replaces the next call. */
	fault: ((logits: Float32Array, gradient?: Float32Array) => Float32Array | Promise<Float32Array>) | undefined;

	async load(parameters: Float32Array): Promise<void> {
		this.loads.push(parameters[0] as number);
	}

	async logits(inputs: readonly TailInput[], gradient?: Float32Array): Promise<Float32Array> {
		this.inputs.push(...inputs);
		const logits = Float32Array.from(inputs.flatMap((input) => [this.loads.at(-1) ?? 0, sumOf(input)]));
		gradient?.fill(logits.reduce((sum, logit) => sum + logit, 0));
		const fault = this.fault;
		this.fault = undefined;
		return fault ? fault(logits, gradient) : logits;
	}

	gradient(inputs: readonly TailInput[], _form: GradientForm, gradient: Float32Array): Promise<Float32Array> {
		return this.logits(inputs, gradient);
	}

	async dispose(): Promise<void> {
		this.isDisposed = true;
	}
}

function sumOf({ hidden, tokens, poolFrom, poolCount }: TailInput): number {
	const pooled = hidden.length > 0 ? hidden.subarray(poolFrom * width, (poolFrom + poolCount) * width) : tokens;
	return [...pooled].reduce((sum, number) => sum + number, 0);
}
