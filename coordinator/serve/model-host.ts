import type { Clock } from "../../shared/clock.ts";
import { TailtuneError } from "../../shared/errors.ts";
import { readRunConfig } from "../run-folder/run-folder.ts";
import type { Log } from "./log.ts";
import { type ModelParts, ServedModel } from "./served-model.ts";
import { modelFingerprint } from "./stage-model.ts";

/** How often the run's model is looked at. */
const LOOK_MS = 1000;

/** After so many looks that each found it changed, the model is tried all the same. */
const MOST_RESTLESS = 2;

export interface ModelHostParts {
	/** Result folder of a run, which may still be training. */
	readonly run: string;
	readonly open: (run: string) => Promise<ServedModel>;
	readonly clock: Clock;
	readonly log: Log;
	/** Told when a model was loaded or refused. */
	readonly onLook: (outcome: "loaded" | "refused") => void;
}

/** The model served now. It is replaced as soon as the run has another one that can be used; what can't is refused. */
export class ModelHost {
	readonly #parts: ModelHostParts;
	#current: ServedModel | undefined;
	/** Calls that each model is answering. */
	readonly #uses = new Map<ServedModel, number>();
	readonly #retiring = new Set<Promise<void>>();
	readonly #idle = new Map<ServedModel, () => void>();
	#seen: string | undefined;
	/** Looks in a row that found the folder changed. */
	#restless = 0;
	#tried: string | undefined;
	#look: Promise<void> | undefined;
	#cancelLook = () => {};
	#closed = false;

	constructor(parts: ModelHostParts) {
		this.#parts = parts;
	}

	/** Parts of `ServedModel.open`, bound. */
	static opener(parts: ModelParts): ModelHostParts["open"] {
		return (run) => ServedModel.open(run, parts);
	}

	get current(): ServedModel | undefined {
		return this.#current;
	}

	/** Models in use: the one served, and older ones that still answer. */
	get models(): Iterable<ServedModel> {
		return this.#uses.keys();
	}

	/**
	 * Loads the run's model, where there is one already, and goes on watching.
	 * @throws TailtuneError where it can't be used
	 */
	async start(): Promise<void> {
		this.#tried = await modelFingerprint(this.#parts.run);
		if (this.#tried !== undefined) this.#serve(await this.#parts.open(this.#parts.run));
		else {
			await readRunConfig(this.#parts.run);
			this.#parts.log.info("no model yet: waiting for the run's first");
		}
		this.#lookLater();
	}

	/**
	 * Has the model of a version answer; it stays until it has.
	 * @param version empty: whichever is served
	 * @throws TailtuneError "offline" while none is loaded, "not-found" where another one is served
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

	/** Opens the model anew at the next look: the one served can't compute any more. */
	reopen(error: unknown): void {
		this.#parts.log.error({ err: error }, "a batch failed: the model is opened anew");
		this.#tried = undefined;
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#cancelLook();
		await this.#look;
		const model = this.#current;
		this.#current = undefined;
		if (model) this.#retire(model);
		await Promise.all(this.#retiring);
	}

	#lookLater(): void {
		if (this.#closed) return;
		this.#cancelLook = this.#parts.clock.schedule(() => {
			this.#look = this.#lookOnce()
				.catch((error) => this.#parts.log.warn({ err: error }, "the run's folder can't be looked at"))
				.then(() => this.#lookLater());
		}, LOOK_MS);
	}

	// A folder that is being written to looks different each time: it is tried when it has come to rest, or doesn't.
	async #lookOnce(): Promise<void> {
		const { run, open, log, onLook } = this.#parts;
		const found = await modelFingerprint(run);
		this.#restless = found === this.#seen ? 0 : this.#restless + 1;
		this.#seen = found;
		const isWorthIt = this.#restless === 0 || this.#restless >= MOST_RESTLESS;
		if (found === undefined || !isWorthIt || found === this.#tried) return;
		this.#tried = found;
		this.#restless = 0;
		try {
			this.#serve(await open(run));
		} catch (error) {
			if (error instanceof TailtuneError && error.code === "busy") this.#tried = undefined;
			const kept = this.#current?.version ?? "none";
			log.error({ err: error, kept }, "the run's new model is refused");
			onLook("refused");
		}
	}

	#serve(model: ServedModel): void {
		const before = this.#current;
		this.#current = model;
		this.#uses.set(model, 0);
		const { version, hash, labels, maxTokens } = model;
		this.#parts.log.info({ version, hash, labels, maxTokens, before: before?.version }, "model loaded");
		this.#parts.onLook("loaded");
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
