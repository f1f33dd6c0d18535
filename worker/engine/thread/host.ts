// The program of the engine thread: holds the engines of every run, by number, and carries out the calls of the main
// thread.
import { parentPort, workerData } from "node:worker_threads";
import { TailtuneError } from "../../../shared/errors.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import type { Tail, Trunk } from "../engine.ts";
import {
	type Call,
	type CallName,
	type EngineCalls,
	type EnginesModule,
	memoryOf,
	type Reply,
	type ThreadData,
	toSentError,
} from "./calls.ts";
import { unpackInputs } from "./packed-inputs.ts";

/** A call's result, and the memory in it that is moved to the main thread. */
interface CallResult<Result> {
	readonly result: Result;
	readonly moved?: ArrayBuffer[];
}

interface OpenTail {
	readonly tail: Tail;
	/** The engine writes here first, since ONNX Runtime accepts no shared memory. */
	gradient: Float32Array;
}

type Handlers = {
	[Name in CallName]: (...args: Parameters<EngineCalls[Name]>) => Promise<CallResult<ReturnType<EngineCalls[Name]>>>;
};

const { enginesModule } = workerData as ThreadData;
const engines: EnginesModule = await import(enginesModule);
const trunks = new Map<number, Trunk>();
const tails = new Map<number, OpenTail>();
let opened = 0;

const handlers: Handlers = {
	async describe(choice) {
		return { result: await engines.describeEngines(choice) };
	},
	async open(folder, spec, choice) {
		const { trunk, tail } = await engines.openEngines(await openModel(folder), spec, choice);
		const session = opened++;
		if (trunk) trunks.set(session, trunk);
		tails.set(session, { tail, gradient: new Float32Array(0) });
		return { result: { session, trunk: trunk?.info, tail: tail.info } };
	},
	async hiddenStates(session, sequences) {
		const states = await findOpen(trunks, session).hiddenStates(sequences);
		return { result: states, moved: memoryOf(states) };
	},
	async load(session, parameters) {
		await findOpen(tails, session).tail.load(parameters);
		return { result: undefined };
	},
	async logits(session, inputs) {
		return { result: await findOpen(tails, session).tail.logits(unpackInputs(inputs)) };
	},
	async gradient(session, inputs, gradient) {
		const own = findOpen(tails, session);
		if (own.gradient.length !== gradient.length) own.gradient = new Float32Array(gradient.length);
		const logits = await own.tail.gradient(unpackInputs(inputs), own.gradient);
		gradient.set(own.gradient);
		return { result: logits };
	},
	async disposeTrunk(session) {
		await findOpen(trunks, session).dispose();
		trunks.delete(session);
		return { result: undefined };
	},
	async disposeTail(session) {
		await findOpen(tails, session).tail.dispose();
		tails.delete(session);
		return { result: undefined };
	},
};

function findOpen<Engine>(engines: ReadonlyMap<number, Engine>, session: number): Engine {
	const engine = engines.get(session);
	if (!engine) throw new TailtuneError("engine", `engine thread: session ${session} is not open`);
	return engine;
}

async function answer({ id, name, args }: Call): Promise<void> {
	try {
		const handler = handlers[name] as (...all: unknown[]) => Promise<CallResult<unknown>>;
		const { result, moved } = await handler(...args);
		parentPort?.postMessage({ id, result } satisfies Reply, moved);
	} catch (error) {
		parentPort?.postMessage({ id, error: toSentError(error) } satisfies Reply);
	}
}

parentPort?.on("message", answer);
