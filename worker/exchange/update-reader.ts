import type { FollowUpdatesResponse } from "../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import type { UpdateHeader } from "../../proto/gen/tailtune/v1/UpdateHeader.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { checkEnd, TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { gradientLength } from "../../shared/updates/gradient-form.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";

/** An update of which not all numbers have arrived. */
interface PendingUpdate {
	readonly update: Update;
	readonly receiver: TensorReceiver;
}

/** Assembles a run's updates from the messages of one stream, and refuses messages that are wrong. */
export class UpdateReader {
	readonly #runId: string;
	readonly #schema: TensorSchema;
	readonly #memory: Float32Array;
	#pending: PendingUpdate | undefined;

	/** @param memory receives the numbers of each update; its length is that of the longest update */
	constructor(runId: string, schema: TensorSchema, memory: Float32Array) {
		this.#runId = runId;
		this.#schema = schema;
		this.#memory = memory;
	}

	/**
	 * Adds the next message.
	 * @param version of the state to which the update is applied
	 * @returns the update if it is complete; its numbers are valid until the next message is added
	 * @throws Refusal if it leads to another version than the next one, or if a message is wrong or in the wrong place
	 */
	add({ header, chunk, end }: FollowUpdatesResponse, version: number): Update | undefined {
		if (header) this.#begin(header, version + 1);
		else if (!this.#pending || (!chunk && !end)) throw this.#disorder("a message without a header, chunk or end");
		if (chunk) this.#pending?.receiver.add(chunk);
		if (!end || !this.#pending) return undefined;
		const { update, receiver } = this.#pending;
		checkEnd(end, receiver.assertWhole());
		this.#pending = undefined;
		return update;
	}

	#begin({ parameterVersion, texts, scalars }: UpdateHeader, version: number): void {
		if (this.#pending) throw this.#disorder("an update that begins before the end of another one");
		if (parameterVersion !== version)
			throw this.#disorder(`an update to version ${parameterVersion}, expected ${version}`);
		const length = gradientLength(this.#schema.form, texts);
		if (texts < 1 || length > this.#memory.length) {
			const most = this.#schema.factorTexts;
			throw new Refusal("REFUSAL_LENGTH", `run ${this.#runId}: an update of ${texts} texts, expected 1 to ${most}`);
		}
		if (!scalars) throw new Refusal("REFUSAL_MALFORMED", `run ${this.#runId}: an update without AdamW's scalars`);
		if (!Object.values(scalars).every(Number.isFinite))
			throw new Refusal("REFUSAL_NOT_FINITE", `run ${this.#runId}: AdamW's scalars aren't finite`);
		const gradient = this.#memory.subarray(0, length);
		this.#pending = { update: { version, texts, scalars, gradient }, receiver: new TensorReceiver(gradient) };
	}

	#disorder(found: string): Refusal {
		return new Refusal("REFUSAL_ORDER", `run ${this.#runId}: ${found}`);
	}
}
