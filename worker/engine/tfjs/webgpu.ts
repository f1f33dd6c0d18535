import { createRequire } from "node:module";
import { TailtuneError } from "../../../shared/errors.ts";
import { isInstalled } from "./is-installed.ts";

const require = createRequire(import.meta.url);

// Neither package is a dependency, so their types aren't there either; what is used of them:
interface Dawn {
	create(options: readonly string[]): { requestAdapter(): Promise<Adapter | null> };
	readonly globals: object;
}
interface Adapter {
	readonly info: { readonly description?: string; readonly device?: string };
}

let started: Promise<string> | undefined;

/**
 * Makes Dawn the WebGPU that TensorFlow.js finds, once a process: for any GPU with a driver for Vulkan, Metal or Direct3D 12.
 * @returns what computes
 * @throws TailtuneError "engine" where the packages or a device are missing
 */
export function startWebgpu(): Promise<string> {
	started ??= start();
	return started;
}

async function start(): Promise<string> {
	const { create, globals }: Dawn = await load("webgpu");
	const gpu = create([]);
	const adapter = await gpu.requestAdapter();
	if (!adapter) throw new TailtuneError("engine", "webgpu: no device, expected a GPU and its driver");
	Object.assign(globalThis, globals);
	// Held by the global: Dawn's objects must not be collected while the backend lives.
	Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
	await load("@tensorflow/tfjs-backend-webgpu");
	return adapter.info.description || adapter.info.device || "GPU";
}

async function load<Package>(name: string): Promise<Package> {
	if (!isInstalled(name)) throw new TailtuneError("engine", `webgpu: ${name} is not installed`);
	try {
		return require(name);
	} catch (cause) {
		const [reason] = (cause as Error).message.split("\n", 1);
		throw new TailtuneError("engine", `webgpu: ${name} can't be loaded: ${reason}`, { cause });
	}
}
