import { ServedRuns } from "../../../coordinator/exchange/served-runs.ts";
import type { GetStateResponse } from "../../../proto/gen/tailtune/v1/GetStateResponse.ts";
import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import { watchNothing } from "../../../shared/bus/changes.ts";
import { Feed } from "../../../shared/bus/feed.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import type { TensorSchema } from "../../../shared/exchange/tensor-schema.ts";
import type { Trainable } from "../../../shared/messages.ts";
import { GPT2_SIZES } from "../../../shared/model/random-model.ts";
import { plainTail } from "../../../shared/model/tail-spec.ts";
import { gradientForm, gradientLength } from "../../../shared/updates/gradient-form.ts";
import { UpdatableState } from "../../../shared/updates/updatable-state.ts";
import { adamWScalars } from "../../../shared/vectors/adamw.ts";
import { type ReplicaOptions, RunReplica } from "../../../worker/exchange/run-replica.ts";
import type { StateSource, WantedUpdates } from "../../../worker/exchange/state-source.ts";
import { ReceivedAnswers } from "../../shared/exchange/received-answers.ts";

const CONFIG = { ...GPT2_SIZES.small, n_layer: 2, n_embd: 12, n_head: 3, vocab_size: 20, n_positions: 6 };

/** A schema of a small model with two frozen numbers. @param factorTexts 0: the whole gradient is dense */
export function smallSchema(factorTexts: number, trainable: Trainable = "TRAINABLE_LAST_BLOCK"): TensorSchema {
	const form = gradientForm(plainTail(trainable, 3), CONFIG, factorTexts);
	return { hash: `${factorTexts}`, parameters: form.trainedSize + 2, form, factorTexts };
}

/** An update of the small schema has several parts. */
export const PART_BYTES = 1024;
/** Numbers of a schema whose updates have parts of the usual size. */
const LARGE = 10_000;

type Tamper<Message> = (messages: AsyncIterable<Message>) => AsyncIterable<Message>;

/** A coordinator without a network: the real states and updates of run "run", and streams that a test can change. */
export class ServedState {
	readonly runs: ServedRuns;
	readonly schema: TensorSchema;
	readonly state: UpdatableState;
	/** Calls so far. */
	readonly calls = { states: 0, updates: 0 };
	/** Change all messages of the next calls. */
	tamperState: Tamper<GetStateResponse> = (messages) => messages;
	tamperUpdates: Tamper<UpdatePart> = (messages) => messages;
	/** Changes the parts of updates that are published. Unset when a replica is made: it watches nothing. */
	tamperPublished: ((parts: readonly UpdatePart[]) => readonly UpdatePart[]) | undefined;
	/** The gradient of the last update. */
	gradient = new Float32Array();
	version: number;
	readonly #published = new Feed<never, UpdatePart>((part) => part);
	#broken = new AbortController();

	constructor(schema: TensorSchema, version = 0) {
		this.schema = schema;
		this.runs = new ServedRuns({ ...(schema.parameters < LARGE && { partBytes: PART_BYTES }), countWorkers: () => 1 });
		this.version = version;
		this.state = new UpdatableState(schema.form, schema.parameters, Math.max(1, schema.factorTexts));
		this.state.parameters.set(numbers(schema.parameters, 1000));
		this.runs.openRun("run", schema, new ReceivedAnswers(0), (parts) =>
			this.send(...(this.tamperPublished?.(parts) ?? [])),
		);
	}

	/** Publishes the current state. */
	publish(): Promise<void> {
		return this.runs.publishState("run", this.version, this.state);
	}

	/**
	 * Takes a step with a gradient of so many texts, and publishes its update and the new state.
	 * @param isAnswer whether the gradient is that of one answer
	 */
	async step(texts = 1, isAnswer = false): Promise<void> {
		await this.publish();
		await this.runs.dropState("run", this.version);
		this.version++;
		const { form } = this.schema;
		const rows = Uint32Array.from({ length: form.table?.count ?? 0 }, (_, row) => row).filter(
			(row) => (row + this.version) % 3 === 0,
		);
		const gradient = this.state.update.subarray(0, gradientLength(form, texts, rows.length));
		gradient.set(numbers(gradient.length, this.version));
		const scalars = adamWScalars(this.version, { lr: 0.01, weightDecay: 0.1 });
		const update = { version: this.version, texts, rows, scalars, gradient };
		this.gradient = gradient.slice();
		await this.runs.publishUpdate("run", update, isAnswer);
		this.state.apply(update, 1);
		await this.publish();
	}

	/** Sends parts of updates to all replicas. */
	send(...parts: readonly UpdatePart[]): void {
		for (const part of parts) this.#published.emit(part);
	}

	/** Ends the watch of published updates. */
	endPublished(): void {
		this.#published.end();
	}

	/** Ends all calls that read updates with an error, as a broken connection does. */
	breakCalls(): void {
		this.#broken.abort(new TailtuneError("offline", "no connection"));
		this.#broken = new AbortController();
	}

	replica(options: Partial<ReplicaOptions> = {}): RunReplica {
		return new RunReplica({ runId: "run", schema: this.schema, source: this.source, ...options });
	}

	readonly source: StateSource = {
		getState: (wanted) => {
			this.calls.states++;
			return this.tamperState(this.runs.sendState({ ...this.#request(wanted.parameterVersion), ...wanted }));
		},
		getUpdates: (wanted, signal) => {
			this.calls.updates++;
			return this.tamperUpdates(this.#updates(wanted, AbortSignal.any([signal, this.#broken.signal])));
		},
		watchUpdates: (signal) => (this.tamperPublished ? this.#published.watch(signal) : watchNothing()),
	};

	#request(parameterVersion: number) {
		return { protocolVersion: 1, runId: "run", parameterVersion, schemaHash: this.schema.hash };
	}

	async *#updates(wanted: WantedUpdates, signal: AbortSignal): AsyncGenerator<UpdatePart> {
		for await (const { part } of this.runs.sendUpdates({ ...this.#request(0), ...wanted })) {
			signal.throwIfAborted();
			if (part) yield part;
		}
	}
}

/** Numbers of both signs, different for each seed. */
function numbers(length: number, seed: number): Float32Array {
	return Float32Array.from({ length }, (_, i) => Math.sin(seed + i * 1.37) * 2 ** ((i % 7) - 3));
}
