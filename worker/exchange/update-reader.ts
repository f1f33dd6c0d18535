import { isDeepStrictEqual } from "node:util";
import type { UpdateHeader } from "../../proto/gen/tailtune/v1/UpdateHeader.ts";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { areRows } from "../../shared/updates/embedding-rows.ts";
import { gradientLength } from "../../shared/updates/gradient-form.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";

/** An update of which not all numbers have arrived. */
interface PendingUpdate {
	readonly update: Update;
	readonly receiver: TensorReceiver;
}

/** Assembles a run's updates from their parts, which must arrive in order, and refuses parts that are wrong. */
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
	 * Adds the next part.
	 * @param version of the state to which the update is applied
	 * @returns the update if it is complete; its numbers are valid until the next part is added
	 * @throws Refusal if the part is wrong, of another update than the next one, or in the wrong place
	 */
	add({ header, chunk, rows }: UpdatePart, version: number): Update | undefined {
		if (!header || !chunk) throw this.#malformed("a part of an update without header or chunk");
		if (header.parameterVersion !== version + 1) {
			const found = `an update to version ${header.parameterVersion}, expected ${version + 1}`;
			throw new Refusal("REFUSAL_ORDER", `run ${this.#runId}: ${found}`);
		}
		this.#pending ??= this.#begin(header, rows);
		const { update, receiver } = this.#pending;
		if (!isSameHeader(header, update)) throw this.#malformed("an update whose parts have different headers");
		receiver.add(chunk);
		if (receiver.received < update.gradient.byteLength) return undefined;
		this.#pending = undefined;
		return update;
	}

	#begin({ parameterVersion: version, texts, scalars }: UpdateHeader, rows: readonly number[]): PendingUpdate {
		const { form, factorTexts: most } = this.#schema;
		const tableRows = form.table?.count ?? 0;
		if (!areRows(form, rows))
			throw this.#malformed(`rows of an update that aren't in ascending order below ${tableRows}`);
		if (texts < 1 || gradientLength(form, texts, tableRows) > this.#memory.length) {
			throw new Refusal("REFUSAL_LENGTH", `run ${this.#runId}: an update of ${texts} texts, expected 1 to ${most}`);
		}
		if (!scalars) throw this.#malformed("an update without AdamW's scalars");
		if (!Object.values(scalars).every(Number.isFinite))
			throw new Refusal("REFUSAL_NOT_FINITE", `run ${this.#runId}: AdamW's scalars aren't finite`);
		const gradient = this.#memory.subarray(0, gradientLength(form, texts, rows.length));
		const update = { version, texts, rows: Uint32Array.from(rows), scalars, gradient };
		return { update, receiver: new TensorReceiver(gradient) };
	}

	#malformed(found: string): Refusal {
		return new Refusal("REFUSAL_MALFORMED", `run ${this.#runId}: ${found}`);
	}
}

function isSameHeader({ texts, scalars }: UpdateHeader, expected: Update): boolean {
	return texts === expected.texts && isDeepStrictEqual(scalars, expected.scalars);
}
