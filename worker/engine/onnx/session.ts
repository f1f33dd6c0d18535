import { cpus } from "node:os";
import "./no-telemetry.ts";
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { ONNX_NOT_A_TENSOR } from "../error-texts.ts";
import { splitDrive } from "./graph-builder.ts";
import { describeProvider, providerOf } from "./provider.ts";

/** An ONNX graph, ready to run. A run blocks the calling thread until it is done. */
export class OnnxSession {
	readonly #session: InferenceSession;

	private constructor(session: InferenceSession) {
		this.#session = session;
	}

	/**
	 * Opens a model of `GraphBuilder.build()`.
	 * @param folder of the model's files, or any folder on the same drive; default: the working folder
	 * @throws TailtuneError "engine" if ONNX Runtime refuses it
	 */
	static async open(model: Uint8Array, options: EngineOptions, folder = process.cwd()): Promise<OnnxSession> {
		return new OnnxSession(await explainErrors(() => InferenceSession.create(model, sessionOptions(options, folder))));
	}

	/**
	 * Runs the graph once and writes its results to the arrays of the tensors `results`.
	 * @throws TailtuneError "engine" if ONNX Runtime fails
	 */
	async run(inputs: Record<string, Tensor>, results: Record<string, Tensor>): Promise<void> {
		const [first = ""] = this.#session.outputNames;
		if (first in results) await explainErrors(() => this.#session.run(inputs, results));
		else await explainErrors(() => this.#runWithoutCopies(inputs, { [first]: null, ...results }));
	}

	/**
	 * For graphs with `GraphBuilder.skipResultCopies`: the last step of a run is the error that keeps it from copying.
	 */
	async #runWithoutCopies(inputs: Record<string, Tensor>, results: Record<string, Tensor | null>): Promise<void> {
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

/** Returns ONNX Runtime's options: the device and the way of computing, and the drive of the model's files. */
export function sessionOptions(options: EngineOptions, folder = process.cwd()): InferenceSession.SessionOptions {
	const provider = providerOf(options);
	return {
		// No fallback: if the provider is missing or can't start, ONNX Runtime opens no session.
		executionProviders: [provider ?? "cpu"],
		// DirectML refuses memory that is planned in advance.
		enableMemPattern: provider !== "dml",
		intraOpNumThreads: options.threads,
		interOpNumThreads: 1,
		executionMode: "sequential",
		graphOptimizationLevel: "all",
		// Errors are thrown; without this they are printed too.
		logSeverityLevel: 4,
		extra: {
			session: {
				model_external_initializers_file_folder_path: splitDrive(folder).drive,
				// Each session has its own threads. If those of the trunk's session spin after a run, they take cores
				// from the tail's session and the other way round: a single text takes twice as long.
				force_spinning_stop: "1",
			},
		},
	};
}

/** Describes ONNX Runtime on this machine. */
export function onnxInfo(options: EngineOptions): EngineInfo {
	const provider = providerOf(options);
	const version = env.versions.node ?? env.versions.common;
	const common = { engine: "onnx", backend: provider ?? "cpu", threads: options.threads, version };
	if (!provider) return { ...common, device: cpus()[0]?.model.trim() ?? "CPU" };
	return { ...common, ...describeProvider(provider) };
}

/** Makes a float32 tensor of an array without copying it. */
export function floats(data: Float32Array, dims: readonly number[]): Tensor {
	return new Tensor("float32", data, dims);
}

/** Makes an int64 tensor of whole numbers below 2^31. */
export function wholeNumbers(data: ArrayLike<number>, dims: readonly number[]): Tensor {
	// Each number is written as two 32-bit halves: converting each to BigInt takes ten times as long.
	const halves = new Int32Array(2 * data.length);
	for (let i = 0; i < data.length; i++) halves[2 * i] = data[i] as number;
	return new Tensor("int64", new BigInt64Array(halves.buffer), dims);
}

async function explainErrors<Result>(work: () => Promise<Result>): Promise<Result> {
	try {
		return await work();
	} catch (cause) {
		const message = cause instanceof Error ? cause.message : String(cause);
		throw new TailtuneError("engine", `ONNX Runtime: ${message.replaceAll(/\s+/g, " ").trim()}`, { cause });
	}
}
