import { cpus } from "node:os";
import "./no-telemetry.ts";
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { ONNX_NOT_A_TENSOR } from "../error-texts.ts";
import { placeOnDrive } from "./graph-builder.ts";
import { describeProvider, providerOf } from "./provider.ts";

/** An ONNX graph ready to run. Its runs occupy the calling thread until they are done. */
export class Session {
	readonly #session: InferenceSession;

	private constructor(session: InferenceSession) {
		this.#session = session;
	}

	/**
	 * Opens a model of `GraphBuilder.build()`.
	 * @param folder of the stored tensors' files, or any on the same drive; default: the working folder
	 * @throws TailtuneError "engine" if ONNX Runtime refuses it
	 */
	static async open(model: Uint8Array, options: EngineOptions, folder = process.cwd()): Promise<Session> {
		return new Session(await explained(() => InferenceSession.create(model, sessionOptions(options, folder))));
	}

	/**
	 * Runs the graph once; results are written to the arrays behind `results`.
	 * Throws TailtuneError "engine" where ONNX Runtime does.
	 */
	async run(inputs: Record<string, Tensor>, results: Record<string, Tensor>): Promise<void> {
		const [first = ""] = this.#session.outputNames;
		if (first in results) await explained(() => this.#session.run(inputs, results));
		else await explained(() => this.#runWithoutAnswer(inputs, { [first]: null, ...results }));
	}

	/** For graphs with `GraphBuilder.answerNothing`: refusing to make the answer is the last that a run does. */
	async #runWithoutAnswer(inputs: Record<string, Tensor>, results: Record<string, Tensor | null>): Promise<void> {
		try {
			await this.#session.run(inputs, results);
		} catch (error) {
			if (!ONNX_NOT_A_TENSOR.test((error as Error).message)) throw error;
		}
	}

	/** Frees the memory; the session can't be used afterwards. */
	async dispose(): Promise<void> {
		await this.#session.release();
	}
}

/** ONNX Runtime's options: how and on what to compute, and the drive on which it finds the stored tensors. */
export function sessionOptions(options: EngineOptions, folder = process.cwd()): InferenceSession.SessionOptions {
	const provider = providerOf(options);
	return {
		// With a provider it doesn't have, or that can't start, ONNX Runtime makes no session.
		executionProviders: [provider ?? "cpu"],
		// DirectML refuses plans made beforehand of where values lie.
		enableMemPattern: provider !== "dml",
		intraOpNumThreads: options.threads,
		interOpNumThreads: 1,
		executionMode: "sequential",
		graphOptimizationLevel: "all",
		// Errors are thrown; without this they are printed too.
		logSeverityLevel: 4,
		extra: {
			session: {
				model_external_initializers_file_folder_path: placeOnDrive(folder).drive,
				// Each session has threads of its own: left spinning after a run, the trunk's take the tail's cores and the
				// other way round, and a text alone takes twice as long.
				force_spinning_stop: "1",
			},
		},
	};
}

/** What to say about ONNX Runtime on this machine. */
export function onnxInfo(options: EngineOptions): EngineInfo {
	const provider = providerOf(options);
	const version = env.versions.node ?? env.versions.common;
	const common = { engine: "onnx", backend: provider ?? "cpu", threads: options.threads, version };
	if (!provider) return { ...common, device: cpus()[0]?.model.trim() ?? "CPU" };
	return { ...common, ...describeProvider(provider) };
}

/** A float32 tensor over an array, without a copy. */
export function floats(data: Float32Array, dims: readonly number[]): Tensor {
	return new Tensor("float32", data, dims);
}

/** An int64 tensor of small whole numbers. */
export function wholeNumbers(data: ArrayLike<number>, dims: readonly number[]): Tensor {
	// Each number as two 32-bit halves: converting one by one to BigInt takes ten times as long.
	const halves = new Int32Array(2 * data.length);
	for (let i = 0; i < data.length; i++) halves[2 * i] = data[i] as number;
	return new Tensor("int64", new BigInt64Array(halves.buffer), dims);
}

async function explained<Result>(work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (cause) {
		const message = cause instanceof Error ? cause.message : String(cause);
		throw new TailtuneError("engine", `ONNX Runtime: ${message.replaceAll(/\s+/g, " ").trim()}`, { cause });
	}
}
