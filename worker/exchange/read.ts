import type { ClientReadableStream } from "@grpc/grpc-js";
import { CALL_SILENCE_MS } from "../../shared/deadlines.ts";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { fromServiceError } from "../../shared/rpc/status.ts";

export interface ReadOptions {
	/** Cancels the call when it aborts. */
	readonly signal?: AbortSignal | undefined;
	/** Longest wait for a message, in milliseconds. Default: `CALL_SILENCE_MS`. */
	readonly silenceMs?: number | undefined;
	/** Whether the stream is held open without messages. Then only the first message has a deadline. */
	readonly isHeldOpen?: boolean;
}

/**
 * Yields the messages of a streaming call; the sender waits for the loop. Leaving the loop cancels the call.
 * @throws TailtuneError if the call fails; "offline" if the other side is silent for too long
 */
export async function* readAll<Message>(
	call: ClientReadableStream<Message>,
	{ signal, silenceMs = CALL_SILENCE_MS, isHeldOpen = false }: ReadOptions = {},
): AsyncGenerator<Message> {
	const cancel = () => call.cancel();
	// After the loop was left, the library reports the cancelled call as an error.
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
