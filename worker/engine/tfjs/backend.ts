import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, sep } from "node:path";
import { pathToFileURL } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths, version_wasm } from "@tensorflow/tfjs-backend-wasm";
import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { WASM_OUT_OF_BOUNDS } from "../error-texts.ts";
import { describeNvidiaDevice, prepareCuda } from "../nvidia-device.ts";
import { TFJS_BACKENDS, type TfjsBackendName } from "./backend-names.ts";
import { importWithoutUnload } from "./import-without-unload.ts";
import { isInstalled } from "./is-installed.ts";
import { registerWasmMatMul } from "./wasm-matmul.ts";
import { startWebgpu } from "./webgpu.ts";

/** Options of the tfjs engine. */
export interface TfjsOptions extends EngineOptions {
	/** Default: `auto`, the first of `TFJS_BACKENDS` that can be used. */
	readonly backend?: TfjsBackendName | "auto";
}

/** An initialised backend. TensorFlow.js has one current backend per process, so all work goes through `run`. */
export interface TfjsBackend {
	readonly info: EngineInfo;
	/**
	 * Runs synchronous tensor work on this backend. Its tensors are disposed of afterwards, except those passed to
	 * `tf.keep`.
	 */
	run<T>(work: () => T): Promise<T>;
	/** Runs synchronous tensor work and returns copies of the numbers of the tensors that it returns. */
	compute(work: () => readonly tf.Tensor[]): Promise<Float32Array[]>;
}

// Packages with the backend "tensorflow". Neither is a dependency: both are built on each machine.
const NATIVE_PACKAGES = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"];

/** The most memory that WebAssembly's 32-bit addresses can reach. */
const WASM_BYTES = 2 ** 32;

const require = createRequire(import.meta.url);

/**
 * Initialises a backend, once per process.
 * @throws TailtuneError "engine" if it can't be used on this machine, with the reason
 */
export async function openTfjsBackend({ backend = "auto", threads }: TfjsOptions): Promise<TfjsBackend> {
	// Otherwise every backend prints advice when it is first used.
	tf.enableProdMode();
	const reasons: string[] = [];
	for (const name of backend === "auto" ? TFJS_BACKENDS : [backend]) {
		try {
			const version = await START[name](threads);
			if (await activate(name)) return toBackend(name, version, threads);
			reasons.push(`${name}: did not start`);
		} catch (error) {
			reasons.push(error instanceof TailtuneError ? error.message : `${name}: ${(error as Error).message}`);
		}
	}
	throw new TailtuneError("engine", `tfjs: ${reasons.join("; ")}`.replaceAll("\n", " "));
}

function toBackend(name: TfjsBackendName, version: string, threads: number): TfjsBackend {
	const { isUsingGpuDevice = false } = tf.backend() as { isUsingGpuDevice?: boolean };
	const processor = cpus()[0]?.model.trim() ?? "CPU";
	const device = isUsingGpuDevice ? describeNvidiaDevice() : name === "webgpu" ? version : processor;
	// Vulkan may be installed without a GPU.
	const isGpu = isUsingGpuDevice || (name === "webgpu" && !/swiftshader|llvmpipe/i.test(device));
	const run = async <T>(work: () => T): Promise<T> => {
		// Another engine of this process may have made its own backend the current one.
		while (tf.getBackend() !== name) await activate(name);
		let result: { readonly value: T } | undefined;
		// `work` returns nothing to tidy, which would search arrays for tensors, number by number.
		try {
			tf.tidy(() => {
				result = { value: work() };
			});
		} catch (error) {
			throw name === "wasm" && WASM_OUT_OF_BOUNDS.test((error as Error).message)
				? wasmIsFull("a micro-batch's tensors")
				: error;
		}
		return (result as unknown as { readonly value: T }).value;
	};
	return {
		info: {
			...{ engine: "tfjs", backend: name, device, threads: name === "tensorflow" ? threads : 1, version },
			...(isGpu && { isGpu }),
		},
		run,
		async compute(work) {
			const tensors = await run(() => work().map((tensor) => tf.keep(tensor)));
			try {
				// A device is read asynchronously. The copy is needed since some backends return their own memory.
				return await Promise.all(tensors.map(async (tensor) => (await tensor.data<"float32">()).slice()));
			} finally {
				tf.dispose([...tensors]);
			}
		},
	};
}

/**
 * Throws TailtuneError "engine" if the backend can't hold this many numbers.
 * @param what name of the numbers, for the message
 */
export function assertFits(numbers: number, what: string, { info }: Pick<TfjsBackend, "info">): void {
	if (info.backend === "wasm" && numbers * Float32Array.BYTES_PER_ELEMENT > WASM_BYTES) throw wasmIsFull(what);
}

function wasmIsFull(what: string): TailtuneError {
	const found = `tfjs wasm: ${what} need more than the 4 GiB that WebAssembly has`;
	return new TailtuneError("engine", `${found}: expected a smaller model or --batch, or --engine onnx`);
}

async function activate(name: TfjsBackendName): Promise<boolean> {
	return tf.findBackendFactory(name) !== null && (await tf.setBackend(name));
}

// Preparations before a backend can be made the current one. Each returns a version.
const START: Record<TfjsBackendName, (threads: number) => Promise<string>> = {
	cpu: async () => tf.version_core,
	async wasm() {
		setWasmPaths(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")) + sep);
		registerWasmMatMul();
		return version_wasm;
	},
	webgpu: startWebgpu,
	async tensorflow(threads) {
		process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
		process.env.TF_NUM_INTRAOP_THREADS ??= `${threads}`;
		prepareCuda();
		// Otherwise the first process takes all of a GPU's memory.
		process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
		restoreUtil();
		for (const name of NATIVE_PACKAGES.filter(isInstalled)) {
			const file = pathToFileURL(require.resolve(name));
			const native = await importWithoutUnload<{ version: Record<string, string> }>(file);
			const { binding } = tf.findBackend("tensorflow") as unknown as { binding?: { TF_Version?: string } };
			return `${name} ${native.version["tfjs-node"]}, TensorFlow ${binding?.TF_Version ?? "unknown"}`;
		}
		throw new TailtuneError("engine", `tensorflow: neither ${NATIVE_PACKAGES.join(" nor ")} is installed`);
	},
};

/** tfjs-node 4.22 calls `util.isNullOrUndefined`, which Node 22 warns about and Node 23 has removed. */
function restoreUtil(): void {
	const util = require("node:util");
	util.isNullOrUndefined = (value: unknown) => value === null || value === undefined;
}
