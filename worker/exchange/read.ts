import type { ClientReadableStream } from "@grpc/grpc-js";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { fromServiceError } from "../../shared/rpc/status.ts";

export interface ReadOptions {
	/** Cancels the call when it aborts. */
	readonly signal?: AbortSignal | undefined;
	/** The longest wait for a message, in ms; default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** The stream is held open without messages: only the first one has to come in time. */
	readonly isHeldOpen?: boolean;
}

/**
 * The messages of a call that answers by a stream, at the pace of the loop; leaving the loop cancels the call.
 * @throws TailtuneError if the call fails; "offline" if the other side is silent for too long
 */
export async function* readAll<Message>(
	call: ClientReadableStream<Message>,
	{ signal, silenceMs = CALL_SILENCE_MS, isHeldOpen = false }: ReadOptions = {},
): AsyncGenerator<Message> {
	const cancel = () => call.cancel();
	// The end of a call that was left is reported as an error that nobody waits for any more.
	call.on("error", () => {});
	signal?.addEventListener("abort", cancel);
	if (signal?.aborted) cancel();
	const silence = new SilenceLimit(silenceMs, cancel);
	silence.wait();
	try {
		for await (const message of call) {
			silence.stop();
			yield message as Message;
			if (!isHeldOpen) silence.wait();
		}
	} catch (error) {
		throw silence.isOver ? silence.error : fromServiceError(error);
	} finally {
		silence.stop();
		signal?.removeEventListener("abort", cancel);
		cancel();
	}
}
