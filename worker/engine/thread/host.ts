// The program of the engine thread: holds the engines of every run, by number, and carries out the calls of the main
// thread.
import { parentPort, workerData } from "node:worker_threads";
import { TailtuneError } from "../../../shared/errors.ts";
import { openModel } from "../../../shared/model/open-model.ts";
import { toSentError } from "../../../shared/sent-error.ts";
import type { Tail, Trunk } from "../engine.ts";
import {
	type Call,
	type CallName,
	type EngineCalls,
	type EnginesModule,
	memoryOf,
	type Reply,
	type ThreadData,
} from "./calls.ts";
import { unpackInputs } from "./packed-inputs.ts";
import { VectorReceiver } from "./sent-vector.ts";

/** A call's result, and the memory in it that is moved to the main thread. */
interface CallResult<Result> {
	readonly result: Result;
	readonly moved?: ArrayBuffer[];
}

interface OpenTail {
	readonly tail: Tail;
	readonly parameters: VectorReceiver;
	readonly gradients: VectorReceiver;
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
		tails.set(session, { tail, parameters: new VectorReceiver(), gradients: new VectorReceiver() });
		return { result: { session, trunk: trunk?.info, tail: tail.info } };
	},
	async hiddenStates(session, sequences) {
		const states = await findOpen(trunks, session).hiddenStates(sequences);
		return { result: states, moved: memoryOf(states) };
	},
	async load(session, sent) {
		const { tail, parameters } = findOpen(tails, session);
		await tail.load(parameters.receive(sent));
		return { result: undefined };
	},
	async logits(session, inputs) {
		return { result: await findOpen(tails, session).tail.logits(unpackInputs(inputs)) };
	},
	async gradient(session, inputs, form, sent) {
		const { tail, gradients } = findOpen(tails, session);
		const write = (gradient: Float32Array) => tail.gradient(unpackInputs(inputs), form, gradient);
		return { result: await gradients.fill(sent, write) };
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
