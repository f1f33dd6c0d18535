import type { AnswerHeader } from "../../proto/gen/tailtune/v1/AnswerHeader.ts";
import type { PutAnswerRequest } from "../../proto/gen/tailtune/v1/PutAnswerRequest.ts";
import type { PutAnswerResponse } from "../../proto/gen/tailtune/v1/PutAnswerResponse.ts";
import type { Clock } from "../../shared/clock.ts";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import { releaseArrays, takeArray } from "../../shared/exchange/take-array.ts";
import { checkProtocolVersion } from "../../shared/exchange/tensor-service.ts";
import { CHUNK_BYTES, checkEnd, TensorReceiver } from "../../shared/exchange/tensor-stream.ts";
import { CALL_LIMITS } from "../../shared/rpc/config.ts";
import { Refusal } from "../../shared/rpc/refusal.ts";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { checkReadable } from "../rpc/handlers.ts";
import type { ServedRuns } from "./served-runs.ts";

/**
 * Most answers received at the same time: for each, at most one chunk is in memory that isn't complete. 1,000 workers
 * that answer at once, 1 MB each, are received within the time in which a worker repeats a refused call (3 s).
 */
export const MAX_UPLOADS = CALL_LIMITS.heldBytes / CHUNK_BYTES;

export interface UploadParts {
	readonly runs: ServedRuns;
	/** Milliseconds without a message after which an upload is ended; default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Default: real time. */
	readonly clock?: Clock | undefined;
}

/** The destination of an answer's numbers. */
interface Numbers {
	/** Number of logits. */
	readonly logits: number;
	/** The array to fill; empty if the answer has no tensor. */
	readonly tensor: Float32Array;
}

/** Receives the answers that workers send. Each is accepted only if it is complete and correct. */
export class Uploads {
	readonly #parts: UploadParts;
	#underWay = 0;
	/** By run, worker and item: ends the open upload. */
	readonly #open = new Map<string, (error: Error) => void>();

	constructor(parts: UploadParts) {
		this.#parts = parts;
	}

	/** Number of open uploads. */
	get underWay(): number {
		return this.#underWay;
	}

	/**
	 * Reads one answer. The upload is ended if it sends nothing for too long, if its worker sends the same answer again,
	 * and when its item is no longer waiting.
	 * @param interrupt ends the upload with an error
	 * @throws Refusal, or TailtuneError "offline" if it sends nothing; no part of the answer is kept then
	 */
	async receive(
		requests: AsyncIterable<PutAnswerRequest>,
		interrupt: (error: Error) => void,
	): Promise<PutAnswerResponse> {
		const { silenceMs = CALL_SILENCE_MS, clock } = this.#parts;
		const silence = new SilenceLimit(silenceMs, interrupt, clock);
		const messages = withinLimit(requests, silence);
		try {
			const first = await messages.next();
			const header = first.done ? undefined : checkReadable(first.value).header;
			if (!header) throw new Refusal("REFUSAL_ORDER", "an answer without a header");
			await this.#receiveAnswer(header, messages, interrupt);
			return {};
		} finally {
			silence.stop();
		}
	}

	async #receiveAnswer(
		header: AnswerHeader,
		messages: AsyncIterable<PutAnswerRequest>,
		interrupt: (error: Error) => void,
	): Promise<void> {
		checkProtocolVersion(header);
		const { result, logitsLength, tensorLength, schemaHash, fingerprint } = header;
		if (!result) throw new Refusal("REFUSAL_MALFORMED", "an answer without a result");
		const { runId, workerId, serial } = result;
		const name = JSON.stringify([runId, workerId, serial]);
		this.#open.get(name)?.(
			new Refusal("REFUSAL_TOO_MANY", `worker ${workerId} sends its answer to item ${serial} again`),
		);
		const run = this.#parts.runs.find(runId);
		if (!result.failure) run.checkSchema(schemaHash);
		const { over, version } = run.answers.expect(result, { logits: logitsLength, tensor: tensorLength });
		if (version !== undefined && isOfParameters(header)) await run.checkFingerprint(version, fingerprint);
		const end = this.#begin(name, over, interrupt);
		const tensor = takeArray(tensorLength > 0 ? run.free : undefined, tensorLength);
		try {
			const logits = await readNumbers(messages, { logits: logitsLength, tensor });
			end();
			run.answers.accept({ result, logits, ...(tensorLength > 0 && { tensor }) });
		} catch (error) {
			if (tensorLength > 0) releaseArrays(run.free, tensor);
			throw error;
		} finally {
			end();
		}
	}

	/**
	 * Registers an upload, which is interrupted when its item is no longer waiting. Returns a function that removes it.
	 */
	#begin(name: string, over: AbortSignal, interrupt: (error: Error) => void): () => void {
		if (this.#underWay >= MAX_UPLOADS)
			throw new Refusal("REFUSAL_TOO_MANY", `${MAX_UPLOADS} answers are being received already`);
		const giveUp = () => interrupt(over.reason);
		let isOver = false;
		over.addEventListener("abort", giveUp);
		this.#open.set(name, interrupt);
		this.#underWay++;
		return () => {
			if (isOver) return;
			isOver = true;
			this.#underWay--;
			if (this.#open.get(name) === interrupt) this.#open.delete(name);
			over.removeEventListener("abort", giveUp);
		};
	}
}

/**
 * Whether an answer depends on the worker's parameters. An item may also fail because of them: damaged ones give logits
 * that aren't finite, which must not end the run.
 */
function isOfParameters({ result, fingerprint }: AnswerHeader): boolean {
	return result?.failure ? !result.failure.ofWorker && typeof fingerprint === "number" : true;
}

/** Yields the messages of a stream, with a time limit for each. */
async function* withinLimit<Message>(messages: AsyncIterable<Message>, limit: SilenceLimit): AsyncGenerator<Message> {
	limit.wait();
	for await (const message of messages) {
		limit.wait();
		yield message;
	}
	limit.stop();
}

/** Reads the numbers of an answer until the stream ends. @returns the logits @throws Refusal if numbers are missing */
async function readNumbers(
	messages: AsyncIterable<PutAnswerRequest>,
	{ logits: length, tensor }: Numbers,
): Promise<number[]> {
	const logits = new Float32Array(length);
	const ofLogits = new TensorReceiver(logits);
	const ofTensor = new TensorReceiver(tensor);
	let isWhole = false;
	for await (const message of messages) {
		const { logits: chunk, tensor: tensorChunk, end } = checkReadable(message);
		if (isWhole || (!chunk && !tensorChunk && !end))
			throw new Refusal(
				"REFUSAL_ORDER",
				isWhole ? "found a message after the end" : "found a message without chunk and end",
			);
		if (chunk) ofLogits.add(chunk);
		if (tensorChunk) ofTensor.add(tensorChunk);
		if (end) checkEnd(end, ofLogits.assertWhole() + ofTensor.assertWhole());
		isWhole = !!end;
	}
	if (!isWhole) throw new Refusal("REFUSAL_LENGTH", "the stream ended before the end of the answer");
	return Array.from(logits);
}
