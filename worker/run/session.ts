import { TailtuneError } from "../../shared/errors.ts";
import type { Answer, WorkerTensors } from "../../shared/exchange/tensor-exchange.ts";
import { type TensorSchema, tensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { RunSpec, TailSpec, WorkItem, WorkResult } from "../../shared/messages.ts";
import type { ModelFiles } from "../../shared/model/model-files.ts";
import { countFrozenBlocks } from "../../shared/model/tail-spec.ts";
import { partLength } from "../../shared/updates/embedding-rows.ts";
import { formOfPart } from "../../shared/updates/gradient-form.ts";
import { allFinite } from "../../shared/vectors/all-finite.ts";
import { type EngineInfo, type Engines, type TailInput, type Trunk, toTokens } from "../engine/engine.ts";
import type { FeatureCache } from "../features/feature-cache.ts";
import { type FeatureStore, featureKey } from "../features/feature-store.ts";
import { checkItem } from "./check-item.ts";
import { failureAnswer, isOfWorker } from "./results.ts";
import { targetsOf } from "./targets.ts";

/** Parts of a session. The session closes its engines and its store. */
export interface SessionParts {
	readonly run: RunSpec;
	readonly model: ModelFiles;
	readonly engines: Engines;
	readonly features: FeatureStore;
	/** Features of earlier runs; default: none. */
	readonly cache?: FeatureCache | undefined;
	readonly tensors: WorkerTensors;
	readonly workerId: string;
}

/** Number of texts, and of their tokens, that the trunk has computed. */
type TrunkCounts = Pick<WorkResult, "trunkSequences" | "trunkTokens">;

interface Done extends Omit<Answer, "result"> {
	readonly counts: TrunkCounts;
}

/** The tail's inputs, and the work of the trunk for them. */
interface Prepared extends TrunkCounts {
	readonly inputs: readonly TailInput[];
}

const nothing = new Float32Array(0);

/** Computes the items of one run in one worker, one at a time. Keeps features and the current parameters. */
export class Session {
	readonly #parts: SessionParts;
	readonly #tailSpec: TailSpec;
	readonly #schema: TensorSchema;
	/** The tail reads pooled rows only, so only these are kept. */
	readonly #keepsPooledOnly: boolean;
	/** The version of the parameters in the tail, and their array: another one means other numbers. */
	#loaded: { readonly version: number; readonly parameters: Float32Array } | undefined;

	/** @throws TailtuneError "protocol" if the run has no tail */
	constructor(parts: SessionParts) {
		const { run, model, tensors } = parts;
		if (!run.tail) throw new TailtuneError("protocol", `run ${run.runId} has no tail, expected the parts to tune`);
		this.#parts = parts;
		this.#tailSpec = run.tail;
		this.#schema = tensorSchema(run, model.config);
		tensors.openRun(run.runId, this.#schema);
		this.#keepsPooledOnly = countFrozenBlocks(run.tail, model.config.n_layer) === model.config.n_layer;
	}

	/** Computes an item. Never rejects: the answer to an item that can't be computed is a failure. One call at a time. */
	async handle(item: WorkItem): Promise<Answer> {
		const { run, model, workerId } = this.#parts;
		try {
			checkItem(item, run, model.config, this.#schema.form);
			const { counts, ...numbers } = await this.#do(item);
			const { runId, serial } = item;
			return { result: { runId, serial, ...this.#computedBy(), ...counts, failure: null }, ...numbers };
		} catch (error) {
			return failureAnswer(item, workerId, error, isOfWorker(error));
		}
	}

	/**
	 * Fetches the parameters of an item unless they are present, so that `handle` needn't wait for the network. `handle`
	 * reports errors of the item itself.
	 * @throws TailtuneError for other errors, such as "offline"
	 */
	async fetchParameters({ kind, parameterVersion }: WorkItem): Promise<void> {
		if (kind === "WORK_KIND_PREPARE") return;
		await this.#parameters(parameterVersion).catch((error) => {
			if (isOfWorker(error)) throw error;
		});
	}

	async close(): Promise<void> {
		const { engines, features, cache } = this.#parts;
		await cache?.flush();
		features.close();
		await Promise.all([engines.trunk?.dispose(), engines.tail.dispose()]);
	}

	#computedBy(): Pick<WorkResult, "workerId" | "trunkEngine" | "tailEngine"> {
		const { workerId, engines } = this.#parts;
		const nameOfEngine = ({ engine, backend }: EngineInfo) => `${engine} ${backend}`;
		const trunkEngine = engines.trunk ? nameOfEngine(engines.trunk.info) : "";
		return { workerId, trunkEngine, tailEngine: nameOfEngine(engines.tail.info) };
	}

	async #do(item: WorkItem): Promise<Done> {
		const { inputs, ...counts } = await this.#prepare(item);
		if (item.kind === "WORK_KIND_PREPARE") return { counts, logits: [] };
		// An answer with numbers also says that other processes find the features of the run in the cache.
		await this.#parts.cache?.flush();
		await this.#load(item.parameterVersion);
		const isGradient = item.kind === "WORK_KIND_GRADIENT";
		const numbers = isGradient ? await this.#gradient(item, inputs) : await this.#logits(item, inputs);
		return { counts, ...numbers };
	}

	async #logits(item: WorkItem, inputs: readonly TailInput[]): Promise<Omit<Done, "counts">> {
		const logits = await this.#parts.engines.tail.logits(inputs);
		this.#checkLogits(item, logits);
		return { logits: Array.from(logits) };
	}

	/** Doesn't check the gradient for NaN: the receiver does so while it copies, and the optimizer during its step. */
	async #gradient(item: WorkItem, inputs: readonly TailInput[]): Promise<Omit<Done, "counts">> {
		const { run, engines, tensors } = this.#parts;
		const form = formOfPart(this.#schema.form, inputs.length);
		const tensor = tensors.gradientBuffer(run.runId, partLength(this.#schema.form, inputs));
		const logits = await engines.tail.gradient(inputs, form, tensor);
		this.#checkLogits(item, logits);
		return { logits: Array.from(logits), tensor };
	}

	#checkLogits(item: WorkItem, logits: Float32Array): void {
		const { classes } = this.#tailSpec;
		const expected = item.sequences.length * classes;
		if (logits.length !== expected)
			throw new TailtuneError("engine", `the tail gave ${logits.length} logits, expected ${expected}`);
		if (allFinite(logits)) return;
		const row = Math.floor(logits.findIndex((logit) => !Number.isFinite(logit)) / classes);
		throw diverged(item, `the logits of example ${item.sequences[row]?.exampleId} aren't finite`);
	}

	async #load(version: number): Promise<void> {
		const parameters = await this.#parameters(version);
		if (this.#loaded?.version === version && this.#loaded.parameters === parameters) return;
		this.#loaded = undefined;
		await this.#parts.engines.tail.load(parameters);
		this.#loaded = { version, parameters };
	}

	async #parameters(version: number): Promise<Float32Array> {
		const { run, tensors } = this.#parts;
		const parameters = await tensors.parameters(run.runId, version);
		if (parameters.length !== this.#schema.parameters) {
			const found = `run ${run.runId}: version ${version} has ${parameters.length} parameters`;
			throw new TailtuneError("protocol", `${found}, expected ${this.#schema.parameters}`);
		}
		return parameters;
	}

	/** Gets features from the store or the cache, and computes missing ones in one call of the trunk. */
	async #prepare({ kind, sequences }: WorkItem): Promise<Prepared> {
		const { classes, loss } = this.#tailSpec;
		const texts = sequences.map(({ labels, ...sequence }) => ({
			...sequence,
			tokens: toTokens(sequence),
			targets: targetsOf(labels, classes, loss),
		}));
		const { trunk } = this.#parts.engines;
		if (!trunk) {
			const inputs = texts.map((text) => ({ ...text, hidden: nothing }));
			return { inputs, trunkSequences: 0, trunkTokens: 0 };
		}
		const { features, cache } = this.#parts;
		const isKept = kind !== "WORK_KIND_CLASSIFY";
		const hidden = new Map<string, Float32Array | undefined>();
		const missing = new Map<string, TextTokens>();
		const take = (key: string, rows: Float32Array) => {
			hidden.set(key, rows);
			if (isKept) features.put(key, rows);
		};
		const keys = texts.map((text) => this.#keyOf(text));
		for (const [i, key] of keys.entries()) {
			if (!hidden.has(key)) hidden.set(key, features.get(key));
			if (!hidden.get(key)) missing.set(key, texts[i] as TextTokens);
		}
		for (const [key, rows] of (isKept && missing.size > 0 && (await cache?.load([...missing.keys()]))) || []) {
			take(key, rows);
			missing.delete(key);
		}
		const computed = await this.#compute(trunk, missing);
		for (const [key, rows] of computed) take(key, rows);
		if (isKept) await cache?.add(computed);
		const trunkTokens = [...missing.values()].reduce((sum, { tokens }) => sum + tokens.length, 0);
		const inputs = texts.map((text, i) => ({
			...text,
			poolFrom: this.#keepsPooledOnly ? 0 : text.poolFrom,
			hidden: hidden.get(keys[i] as string) ?? nothing,
		}));
		return { inputs, trunkSequences: missing.size, trunkTokens };
	}

	async #compute(trunk: Trunk, missing: ReadonlyMap<string, TextTokens>): Promise<Map<string, Float32Array>> {
		if (missing.size === 0) return new Map();
		const width = this.#parts.model.config.n_embd;
		const texts = [...missing.values()];
		const states = await trunk.hiddenStates(texts.map(({ tokens }) => tokens));
		const computed = [...missing.keys()].map((key, i): [string, Float32Array] => {
			const { tokens, poolFrom, poolCount } = texts[i] as TextTokens;
			const rows = states[i];
			if (rows?.length !== tokens.length * width)
				throw new TailtuneError("engine", `the trunk gave ${rows?.length} numbers, expected ${tokens.length * width}`);
			if (!this.#keepsPooledOnly) return [key, rows];
			return [key, rows.slice(poolFrom * width, (poolFrom + poolCount) * width)];
		});
		return new Map(computed);
	}

	#keyOf({ tokens, poolFrom, poolCount }: TextTokens): string {
		return featureKey(this.#keepsPooledOnly ? Uint32Array.of(poolFrom, poolCount, ...tokens) : tokens);
	}
}

interface TextTokens {
	readonly tokens: Uint32Array;
	readonly poolFrom: number;
	readonly poolCount: number;
}

function diverged(item: WorkItem, problem: string): TailtuneError {
	const message = `step ${item.parameterVersion}: ${problem}: training diverged; try a smaller --lr`;
	return new TailtuneError("diverged", message);
}
