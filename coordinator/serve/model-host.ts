import type { Clock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { MODEL_POLL_MS } from "../deadlines.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";
import type { Log } from "./log.ts";
import { type ModelParts, ServedModel } from "./served-model.ts";
import { fingerprintModel } from "./stage-model.ts";

/** After this number of polls in a row that found a change, the model is loaded anyway. */
const MOST_UNSTABLE = 2;

export interface ModelHostParts {
	/** Result folder of a run, which may still be training. */
	readonly run: string;
	readonly open: (run: string) => Promise<ServedModel>;
	readonly clock: Clock;
	readonly log: Log;
	/** Called when a model was loaded or refused. */
	readonly onModel: (outcome: "loaded" | "refused") => void;
}

/** Holds the model that is served, and replaces it as soon as the run has a new one that can be used. */
export class ModelHost {
	readonly #parts: ModelHostParts;
	#current: ServedModel | undefined;
	/** Number of unfinished calls of each model. */
	readonly #uses = new Map<ServedModel, number>();
	readonly #retiring = new Set<Promise<void>>();
	readonly #idle = new Map<ServedModel, () => void>();
	/** Fingerprint at the last poll. */
	#lastSeen: string | undefined;
	/** Polls in a row that found the folder changed. */
	#unstablePolls = 0;
	/** Fingerprint of the model that was loaded or refused last. */
	#lastTried: string | undefined;
	#cancelPoll = () => {};
	#closed = false;

	constructor(parts: ModelHostParts) {
		this.#parts = parts;
	}

	/** Returns `ServedModel.open` with these parts. */
	static opener(parts: ModelParts): ModelHostParts["open"] {
		return (run) => ServedModel.open(run, parts);
	}

	get current(): ServedModel | undefined {
		return this.#current;
	}

	/** Models in use: the one served, and older ones with unfinished calls. */
	get models(): Iterable<ServedModel> {
		return this.#uses.keys();
	}

	/**
	 * Loads the run's model if there is one, and polls for new ones.
	 * @throws TailtuneError if the model can't be used
	 */
	async start(): Promise<void> {
		this.#lastTried = await fingerprintModel(this.#parts.run);
		if (this.#lastTried !== undefined) await this.#open();
		else {
			await readRunConfig(this.#parts.run);
			this.#parts.log.info("no model yet: waiting for the run's first");
		}
		this.#pollLater();
	}

	/**
	 * Answers a call with the model of a version, which stays open until then.
	 * @param version empty: the one that is served
	 * @throws TailtuneError "offline" if no model is loaded yet, "not-found" if another version is served
	 */
	async use<Result>(version: string, answer: (model: ServedModel) => Promise<Result>): Promise<Result> {
		const model = this.#current;
		if (!model) throw new TailtuneError("offline", "no model is loaded yet; try again later");
		if (version !== "" && version !== model.version)
			throw new TailtuneError("not-found", `model ${JSON.stringify(version)} isn't served, only ${model.version}`);
		this.#uses.set(model, (this.#uses.get(model) ?? 0) + 1);
		try {
			return await answer(model);
		} finally {
			const uses = (this.#uses.get(model) ?? 0) - 1;
			this.#uses.set(model, uses);
			if (uses === 0) this.#idle.get(model)?.();
		}
	}

	/** Opens the model again at the next poll, because the served one failed to compute. */
	reopen(error: unknown): void {
		this.#parts.log.error({ err: error }, "a batch failed: the model is opened again");
		this.#lastTried = undefined;
	}

	/**
	 * Closes the model when its calls are answered. A model that is being opened isn't awaited, because without workers
	 * that never ends; it is closed as soon as it is open.
	 */
	async close(): Promise<void> {
		this.#closed = true;
		this.#cancelPoll();
		const model = this.#current;
		this.#current = undefined;
		if (model) this.#retire(model);
		await Promise.all(this.#retiring);
	}

	#pollLater(): void {
		if (this.#closed) return;
		this.#cancelPoll = this.#parts.clock.schedule(() => {
			void this.#pollOnce()
				.catch((error) => this.#parts.log.warn({ err: error }, "the run's folder can't be read"))
				.then(() => this.#pollLater());
		}, MODEL_POLL_MS);
	}

	// While files are being written the fingerprint changes: load when it is the same twice, or after several changes.
	async #pollOnce(): Promise<void> {
		const { run, log, onModel } = this.#parts;
		const found = await fingerprintModel(run);
		this.#unstablePolls = found === this.#lastSeen ? 0 : this.#unstablePolls + 1;
		this.#lastSeen = found;
		const isStable = this.#unstablePolls === 0 || this.#unstablePolls >= MOST_UNSTABLE;
		if (found === undefined || !isStable || found === this.#lastTried) return;
		this.#lastTried = found;
		this.#unstablePolls = 0;
		try {
			await this.#open();
		} catch (error) {
			if (this.#closed) return;
			if (error instanceof TailtuneError && error.code === "busy") this.#lastTried = undefined;
			const kept = this.#current?.version ?? "none";
			log.error({ err: error, kept }, "the run's new model is refused");
			onModel("refused");
		}
	}

	async #open(): Promise<void> {
		const { run, open, log } = this.#parts;
		log.info("opening the run's model");
		const model = await open(run);
		if (this.#closed) await model.close();
		else this.#serve(model);
	}

	#serve(model: ServedModel): void {
		const before = this.#current;
		this.#current = model;
		this.#uses.set(model, 0);
		const { version, hash, labels, maxTokens } = model;
		this.#parts.log.info({ version, hash, labels, maxTokens, before: before?.version }, "model loaded");
		this.#parts.onModel("loaded");
		if (before) this.#retire(before);
	}

	#retire(model: ServedModel): void {
		const idle = new Promise<void>((resolve) => {
			if (this.#uses.get(model) === 0) resolve();
			else this.#idle.set(model, resolve);
		});
		const retired = idle
			.then(() => model.close())
			.catch((error) => this.#parts.log.warn({ err: error }, "an old model can't be closed"))
			.finally(() => {
				this.#uses.delete(model);
				this.#idle.delete(model);
				this.#retiring.delete(retired);
			});
		this.#retiring.add(retired);
	}
}
