import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Answer } from "../../../shared/exchange/tensor-exchange.ts";
import type { RunProgress, RunSpec, WorkerInfo, WorkItem, WorkResult } from "../../../shared/messages.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";

/** Returns a complete and valid message for tests, with the given fields. */
export function someRun(fields: Partial<RunSpec> = {}): RunSpec {
	const tail = plainTail("TRAINABLE_LAST_BLOCK", 2);
	return {
		runId: "run",
		modelHash: "abc",
		tail,
		tensorsAddress: "",
		shards: 2,
		trunkPrecision: "TRUNK_PRECISION_FP32",
		factorTexts: 0,
		...fields,
	};
}

export function someItem(fields: Partial<WorkItem> = {}): WorkItem {
	const sequence = { exampleId: 3, tokens: [5, 6, 7], poolFrom: 2, poolCount: 1, labels: [1] };
	const item = { runId: "run", serial: 1, kind: "WORK_KIND_GRADIENT", shard: 0, parameterVersion: 0 } as const;
	return { ...item, sequences: [sequence], ...fields };
}

/** Returns a part of the update to a version. */
export function somePart(parameterVersion: number, data = Buffer.of(1, 2, 3, 4)): UpdatePart {
	const scalars = { decay: 0.5, vectorDecay: 0.125, stepSize: 0.25, epsilon: 1, gradientScale: 1 };
	return {
		header: { parameterVersion, texts: 1, scalars },
		chunk: { byteOffset: 0, data, xxh64: Buffer.alloc(8, parameterVersion) },
		rows: [3, 50_257],
	};
}

export function someResult(fields: Partial<WorkResult> = {}): WorkResult {
	return {
		runId: "run",
		serial: 1,
		workerId: "worker",
		trunkSequences: 1,
		trunkEngine: "onnx cpu",
		tailEngine: "tfjs wasm",
		trunkTokens: 3,
		failure: null,
		...fields,
	};
}

/** Returns an answer with two logits and without a tensor. */
export function someAnswer(fields: Partial<WorkResult> = {}, numbers: Partial<Answer> = {}): Answer {
	return { result: someResult(fields), logits: fields.failure ? [] : [0.5, -1.25], ...numbers };
}

export function someWorker(workerId: string): WorkerInfo {
	return { workerId, trunkEngine: "onnx cpu", tailEngine: "tfjs wasm", device: "cpu", threads: 2, version: "1.0" };
}

export function someProgress(fields: Partial<RunProgress> = {}): RunProgress {
	const place = {
		runId: "run",
		host: "here",
		folder: "/runs/one",
		name: "first",
		model: "demo",
		data: "/data/texts.tsv",
	};
	const validation = { loss: 0.25, accuracy: 0.75 };
	return {
		...place,
		phase: "training",
		done: 3,
		total: 9,
		unit: "steps",
		epoch: 1,
		epochs: 3,
		validation,
		notices: [],
		workers: [],
		startedAtMs: Date.UTC(2026, 2, 14, 15, 9),
		secondsLeft: 12,
		...fields,
	};
}
