import type { GradientHeader } from "../../proto/gen/tailtune/v1/GradientHeader.ts";
import type { PutGradientRequest } from "../../proto/gen/tailtune/v1/PutGradientRequest.ts";
import type { PutGradientResponse } from "../../proto/gen/tailtune/v1/PutGradientResponse.ts";
import type { Clock } from "../../shared/clock.ts";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import type { TensorSchema } from "../../shared/exchange/tensor-schema.ts";
import { checkProtocolVersion } from "../../shared/exchange/tensor-service.ts";
import { TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { BYTES_OF } from "../../shared/exchange/wire-format.ts";
import { itemKey, type WorkKind } from "../../shared/messages.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { checkReadable } from "../rpc/handlers.ts";
import type { MemoryTensors } from "./memory-tensors.ts";
import { type ServedRuns, type ServedVersion, staleVersion } from "./served-runs.ts";

/** Uploads at the same time; each has an array of a gradient's size. */
export const MAX_UPLOADS = 64;

const KINDS_WITH_GRADIENT: ReadonlySet<WorkKind> = new Set(["WORK_KIND_GRADIENT", "WORK_KIND_LOCAL_STEPS"]);

export interface UploadParts {
	readonly runs: ServedRuns;
	/** Where whole gradients go. */
	readonly exchange: MemoryTensors;
	/** Whether somebody waits for the gradient of an item. */
	readonly isExpected: (runId: string, itemKey: string) => boolean;
	/** An upload that sends nothing for so many ms is ended; default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/** Takes gradients that workers send, whole and checked or not at all. */
export class Uploads {
	readonly #parts: UploadParts;
	#underWay = 0;
	/** By run, worker and item: ends the upload that is under way. */
	readonly #open = new Map<string, (error: Error) => void>();

	constructor(parts: UploadParts) {
		this.#parts = parts;
	}

	/** Uploads whose stream is still open. */
	get underWay(): number {
		return this.#underWay;
	}

	/**
	 * Reads one upload. It is ended if it falls silent, and if the worker begins to upload the same item again.
	 * @param interrupt ends the reading with an error, as when the version is dropped in the middle
	 * @throws Refusal, or TailtuneError "offline" after a silence; nothing of the upload is kept then
	 */
	async receive(
		requests: AsyncIterable<PutGradientRequest>,
		interrupt: (error: Error) => void,
	): Promise<PutGradientResponse> {
		const { silenceMs = CALL_SILENCE_MS, clock } = this.#parts;
		const silence = new SilenceLimit(silenceMs, interrupt, clock);
		const messages = withinLimit(requests, silence);
		try {
			const first = await messages.next();
			const header = first.done ? undefined : checkReadable(first.value).header;
			if (!header) throw new Refusal("REFUSAL_ORDER", "an upload begins without its header");
			return await this.#receiveGradient(header, messages, interrupt);
		} finally {
			silence.stop();
		}
	}

	async #receiveGradient(
		header: GradientHeader,
		messages: AsyncIterable<PutGradientRequest>,
		interrupt: (error: Error) => void,
	): Promise<PutGradientResponse> {
		const { runId, workerId, parameterVersion } = header;
		const name = JSON.stringify([runId, workerId, itemKey(header)]);
		this.#open.get(name)?.(new Refusal("REFUSAL_TOO_MANY", `worker ${workerId} uploads ${itemKey(header)} again`));
		const { schema, version } = this.#check(header);
		if (version.answered.has(itemKey(header))) return { duplicate: true };
		const giveUp = () => interrupt(staleVersion(runId, parameterVersion));
		version.ended.signal.addEventListener("abort", giveUp);
		this.#open.set(name, interrupt);
		this.#underWay++;
		try {
			return await this.#fill(header, schema, version, messages);
		} finally {
			this.#underWay--;
			if (this.#open.get(name) === interrupt) this.#open.delete(name);
			version.ended.signal.removeEventListener("abort", giveUp);
		}
	}

	#check(header: GradientHeader): { schema: TensorSchema; version: ServedVersion } {
		checkProtocolVersion(header);
		const found = this.#parts.runs.find(header);
		const { kind, runId, byteLength } = header;
		if (!KINDS_WITH_GRADIENT.has(kind)) throw new Refusal("REFUSAL_MALFORMED", `${kind} has no gradient`);
		const expected = found.schema.gradients * BYTES_OF[found.schema.wire];
		if (byteLength !== expected)
			throw new Refusal("REFUSAL_LENGTH", `a gradient of ${byteLength} bytes, expected ${expected}`);
		if (!this.#parts.isExpected(runId, itemKey(header)))
			throw new Refusal("REFUSAL_NOT_EXPECTED", `run ${runId}: nobody waits for the gradient of ${itemKey(header)}`);
		if (this.#underWay >= MAX_UPLOADS) throw new Refusal("REFUSAL_TOO_MANY", `${MAX_UPLOADS} uploads are under way`);
		return found;
	}

	async #fill(
		header: GradientHeader,
		schema: TensorSchema,
		version: ServedVersion,
		messages: AsyncIterable<PutGradientRequest>,
	): Promise<PutGradientResponse> {
		const { exchange } = this.#parts;
		const gradient = exchange.gradientBuffer(header.runId, schema.gradients);
		try {
			await readTensor(messages, new TensorReceiver(gradient, schema.wire));
			if (version.ended.signal.aborted) throw staleVersion(header.runId, header.parameterVersion);
			const duplicate = version.answered.has(itemKey(header));
			if (duplicate) exchange.releaseGradient(header.runId, gradient);
			else exchange.handIn(header.runId, header, gradient);
			version.answered.add(itemKey(header));
			return { duplicate };
		} catch (error) {
			exchange.releaseGradient(header.runId, gradient);
			throw error;
		}
	}
}

/** The messages of a stream, each of which has to come in time. */
async function* withinLimit<Message>(messages: AsyncIterable<Message>, limit: SilenceLimit): AsyncGenerator<Message> {
	limit.wait();
	for await (const message of messages) {
		limit.wait();
		yield message;
	}
	limit.stop();
}

async function readTensor(messages: AsyncIterable<PutGradientRequest>, receiver: TensorReceiver): Promise<void> {
	let isWhole = false;
	for await (const message of messages) {
		const { chunk, end } = checkReadable(message);
		if (isWhole || (!chunk && !end))
			throw new Refusal("REFUSAL_ORDER", `found ${isWhole ? "a message behind the end" : "no chunk and no end"}`);
		if (chunk) receiver.add(chunk);
		if (end) {
			receiver.finish(end);
			isWhole = true;
		}
	}
	if (!isWhole) throw new Refusal("REFUSAL_LENGTH", "the stream ended before the tensor's end");
}
