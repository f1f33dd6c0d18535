import type { EngineChoice } from "../../shared/embedded-worker.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { cutOf } from "../../shared/model/tail-spec.ts";
import type { EngineInfo, Tail, Trunk, TrunkOptions } from "./engine.ts";
import { splitWhenFull } from "./split-when-full.ts";

/** What a run's engines are opened with. */
export type RunEngineChoice = EngineChoice & TrunkOptions;

/** What a worker computes with for one run. */
export interface Engines {
	/** Undefined where the cut is 0: the tail starts from tokens. */
	readonly trunk: Trunk | undefined;
	readonly tail: Tail;
}

/**
 * Opens what a run's trunk and tail compute on. `onnx`: ONNX Runtime; `tfjs`: TensorFlow.js; `auto`: `onnx` where ONNX
 * Runtime is there, else `tfjs`.
 * @throws TailtuneError "engine" where what was chosen can't be had here
 */
export async function openEngines(model: ModelFiles, spec: TailSpec, choice: RunEngineChoice): Promise<Engines> {
	const onnx = await loadOnnx(choice);
	const hasTrunk = cutOf(spec, model.config.n_layer) > 0;
	if (hasTrunk && choice.trunkPrecision === "int8" && !onnx) {
		const found = `found ${choice.engine === "tfjs" ? "--engine tfjs" : "no ONNX Runtime here"}`;
		throw new TailtuneError("engine", `--trunk-precision int8: ${found}, expected ONNX Runtime, which alone has it`);
	}
	const openTrunk = onnx?.openOnnxTrunk ?? (await loadTfjs()).openTfjsTrunk;
	const openTail = onnx?.openOnnxTail ?? (await loadTfjs()).openTfjsTail;
	const { trunk: info } = await describeEngines(choice);
	const trunk = hasTrunk ? openWhenNeeded(info, () => openTrunk(model, spec, choice)) : undefined;
	try {
		const tail = await openTail(model, spec, choice);
		return { trunk, tail: splitWhenFull(tail, (line) => process.stderr.write(`${line}\n`)) };
	} catch (error) {
		await trunk?.dispose();
		throw error;
	}
}

/** A trunk that is opened when it has something to compute: where all features are kept that takes a second for nothing. */
function openWhenNeeded(info: EngineInfo, open: () => Promise<Trunk>): Trunk {
	let trunk: Promise<Trunk> | undefined;
	return {
		info,
		async hiddenStates(sequences) {
			trunk ??= open();
			return (await trunk).hiddenStates(sequences);
		},
		async dispose() {
			await (await trunk?.catch(() => undefined))?.dispose();
		},
	};
}

/** What `openEngines` computes on. */
export async function describeEngines(choice: EngineChoice): Promise<{ trunk: EngineInfo; tail: EngineInfo }> {
	const onnx = await loadOnnx(choice);
	const info = onnx?.onnxInfo(choice) ?? (await (await loadTfjs()).openTfjsBackend(choice)).info;
	if (choice.requireGpu && !info.isGpu) {
		const found = `${info.engine} ${info.backend} computes on ${info.device}`;
		const how = "a GPU: look at its driver (nvidia-smi), npm run native -- gpu, or --engine tfjs --backend webgpu";
		throw new TailtuneError("engine", `--require-gpu: ${found}, expected ${how}`);
	}
	return { trunk: info, tail: info };
}

/** TensorFlow.js, loaded when needed: it takes half a second. */
async function loadTfjs() {
	const [backend, trunk, tail] = await Promise.all([
		import("./tfjs/backend.ts"),
		import("./tfjs/trunk.ts"),
		import("./tfjs/tail.ts"),
	]);
	return { ...backend, ...trunk, ...tail };
}

/** ONNX Runtime, loaded when asked for: it brings a native library that not every platform has. */
async function loadOnnx({ engine, requireGpu }: EngineChoice) {
	// As we open it, ONNX Runtime computes on the processor.
	if (engine === "tfjs" || (engine === "auto" && requireGpu)) return undefined;
	try {
		const [session, trunk, tail] = await Promise.all([
			import("./onnx/session.ts"),
			import("./onnx/trunk.ts"),
			import("./onnx/tail.ts"),
		]);
		return { ...session, ...trunk, ...tail };
	} catch (cause) {
		if (engine === "auto") return undefined;
		const reason = (cause as Error).message.split("\n", 1)[0];
		throw new TailtuneError("engine", `onnx: ONNX Runtime can't be loaded: ${reason}`, { cause });
	}
}
