import { TailtuneError } from "../../shared/errors.ts";
import type { TailSpec } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { countFrozenBlocks } from "../../shared/model/tail-spec.ts";
import type { EngineChoice } from "../../shared/worker-port/engine-choice.ts";
import type { EngineInfo, EngineInfos, Engines, Trunk, TrunkOptions } from "./engine.ts";
import { isProvider, providerOf } from "./onnx/provider.ts";
import { splitWhenFull } from "./split-when-full.ts";
import type { TfjsOptions } from "./tfjs/backend.ts";

/** Choices of the user and of the run that decide which engines are opened. */
export type RunEngineChoice = EngineChoice & TrunkOptions;

/**
 * Opens the trunk and the tail of a run. `onnx`: ONNX Runtime; `tfjs`: TensorFlow.js; `auto`: `onnx` if ONNX Runtime
 * can be loaded, otherwise `tfjs`. If the backend is a provider of ONNX Runtime, there is no fallback.
 * @throws TailtuneError "engine" if the chosen engine can't be used on this machine
 */
export async function openEngines(model: ModelFiles, spec: TailSpec, choice: RunEngineChoice): Promise<Engines> {
	const { onnx } = await loadOnnx(choice);
	const hasTrunk = countFrozenBlocks(spec, model.config.n_layer) > 0;
	if (hasTrunk) checkPrecision(choice, onnx !== undefined);
	const openTrunk = async () => {
		if (onnx) return onnx.openOnnxTrunk(model, spec, { ...choice, threads: choice.trunkThreads ?? choice.threads });
		return (await loadTfjs()).openTfjsTrunk(model, spec, toTfjsChoice(choice));
	};
	const openTail = async () => {
		if (onnx) return onnx.openOnnxTail(model, spec, choice);
		return (await loadTfjs()).openTfjsTail(model, spec, toTfjsChoice(choice));
	};
	const { trunk: info } = await describeEngines(choice);
	const trunk = hasTrunk ? openWhenNeeded(info, openTrunk) : undefined;
	try {
		const tail = await openTail();
		return { trunk, tail: splitWhenFull(tail, (line) => process.stderr.write(`${line}\n`)) };
	} catch (error) {
		await trunk?.dispose();
		throw error;
	}
}

function checkPrecision(choice: RunEngineChoice, isOnnx: boolean): void {
	if (choice.trunkPrecision !== "int8") return;
	const refuse = (found: string, expected: string) =>
		new TailtuneError(
			"engine",
			`--trunk-precision int8: found ${found}, expected ${expected}: no other engine has int8`,
		);
	const provider = providerOf(choice);
	if (provider) throw refuse(`--backend ${provider}`, "ONNX Runtime on the CPU");
	if (!isOnnx) throw refuse(choice.engine === "tfjs" ? "--engine tfjs" : "no ONNX Runtime here", "ONNX Runtime");
}

/**
 * Converts the choice for TensorFlow.js.
 * @throws TailtuneError "engine" if the backend is a provider of ONNX Runtime
 */
function toTfjsChoice(choice: RunEngineChoice): RunEngineChoice & TfjsOptions {
	const { backend } = choice;
	if (isProvider(backend))
		throw new TailtuneError("engine", `--backend ${backend}: found --engine tfjs, expected --engine onnx`);
	return { ...choice, backend };
}

/** Returns a trunk that opens when it first computes. Opening takes a second, for nothing if all features are kept. */
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

/** Describes the engines that `openEngines` will open. */
export async function describeEngines(choice: EngineChoice): Promise<EngineInfos> {
	const { onnx, reason } = await loadOnnx(choice);
	const found = onnx
		? await onnx.describeOnnx(choice)
		: (await (await loadTfjs()).openTfjsBackend(toTfjsChoice(choice))).info;
	const info: EngineInfo = { ...found, ...(reason !== undefined && { fallbackReason: reason }) };
	if (choice.requireGpu && !info.isGpu) {
		const actual = `${info.engine} ${info.backend} computes on ${info.device}`;
		const how =
			"a GPU: check the driver (nvidia-smi) and npm run native -- gpu, or use --engine tfjs --backend webgpu; " +
			"with TF_CPP_MIN_LOG_LEVEL=0 TensorFlow prints why it uses no GPU";
		throw new TailtuneError("engine", `--require-gpu: ${actual}, expected ${how}`);
	}
	return { trunk: info, tail: info };
}

/**
 * Loads TensorFlow.js, only when needed since it takes half a second.
 * @throws TailtuneError "engine" if it can't be loaded
 */
async function loadTfjs() {
	await loadLibraries("tfjs: TensorFlow.js", () =>
		Promise.all([import("@tensorflow/tfjs"), import("@tensorflow/tfjs-backend-wasm")]),
	);
	const [backend, trunk, tail] = await Promise.all([
		import("./tfjs/backend.ts"),
		import("./tfjs/trunk.ts"),
		import("./tfjs/tail.ts"),
	]);
	return { ...backend, ...trunk, ...tail };
}

/**
 * Loads ONNX Runtime if the choice allows it.
 * @returns nothing if the choice is TensorFlow.js; the reason if `auto` falls back to it
 * @throws TailtuneError "engine" if ONNX Runtime was chosen and can't be loaded
 */
async function loadOnnx(choice: EngineChoice): Promise<{ onnx?: OnnxModules; reason?: string }> {
	const { engine, requireGpu } = choice;
	const provider = providerOf(choice);
	// Without a provider ONNX Runtime computes on the CPU.
	if (engine === "tfjs" || (engine === "auto" && requireGpu && !provider)) return {};
	try {
		await import("./onnx/no-telemetry.ts");
		await loadLibraries("onnx: ONNX Runtime", () => import("onnxruntime-node"));
	} catch (error) {
		if (engine === "auto" && !provider) return { reason: (error as Error).message };
		throw error;
	}
	return { onnx: await importOnnx() };
}

type OnnxModules = Awaited<ReturnType<typeof importOnnx>>;

async function importOnnx() {
	const [describe, trunk, tail] = await Promise.all([
		import("./onnx/describe-onnx.ts"),
		import("./onnx/trunk.ts"),
		import("./onnx/tail.ts"),
	]);
	return { ...describe, ...trunk, ...tail };
}

/**
 * Loads an engine's packages before the modules that import them. If a package failed in several modules at once, Node
 * would report it a second time as an uncaught error and end the process.
 */
async function loadLibraries(name: string, load: () => Promise<unknown>): Promise<void> {
	await load().catch((cause: unknown) => {
		const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1);
		throw new TailtuneError("engine", `${name} can't be loaded: ${reason}`, { cause });
	});
}
