import { createRequire } from "node:module";
import { TailtuneError } from "../../../shared/errors.ts";
import { isInstalled } from "./is-installed.ts";

const require = createRequire(import.meta.url);

// Neither package is a dependency, so their types may be missing. These are the parts that are used:
interface Dawn {
	create(options: readonly string[]): { requestAdapter(): Promise<Adapter | null> };
	readonly globals: object;
}
interface Adapter {
	readonly info: { readonly description?: string; readonly device?: string };
}

let started: Promise<string> | undefined;

/**
 * Installs Dawn as the WebGPU of TensorFlow.js, once per process. It works on any GPU with a driver for Vulkan, Metal
 * or Direct3D 12.
 * @returns a description of the device
 * @throws TailtuneError "engine" if a package or a device is missing
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
	// The global keeps Dawn's objects from being garbage-collected while the backend is used.
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
