import type { ClientWritableStream, ServiceError } from "@grpc/grpc-js";
import { SilenceLimit } from "../../shared/rpc/silence.ts";
import { fromServiceError } from "../../shared/rpc/status.ts";
import { write } from "../../shared/rpc/write.ts";

export interface SendOptions {
	/** Cancels the call when it aborts. */
	readonly signal: AbortSignal;
	/** The longest time, in ms, in which the other side neither takes a message nor answers. */
	readonly silenceMs: number;
}

/**
 * Sends the messages of a call that is answered once, at the pace of the receiver. If they can't all be made, the call is
 * cancelled, so that nothing of it stays open at the receiver.
 * @throws TailtuneError if the call fails, "offline" if the other side is silent for too long, and what making a message throws
 */
export function sendAll<Request, Response>(
	begin: (callback: (error: ServiceError | null, response?: Response) => void) => ClientWritableStream<Request>,
	messages: Iterable<Request>,
	{ signal, silenceMs }: SendOptions,
): Promise<Response> {
	return new Promise((resolve, reject) => {
		const ended = new AbortController();
		const cancel = () => call.cancel();
		const silence = new SilenceLimit(silenceMs, cancel);
		const call = begin((error, response) => {
			ended.abort();
			silence.stop();
			signal.removeEventListener("abort", cancel);
			if (error) reject(silence.isOver ? silence.error : fromServiceError(error));
			else resolve(response as Response);
		});
		const send = async () => {
			for (const message of messages) {
				silence.wait();
				await write(call, message, ended.signal);
				if (ended.signal.aborted) return;
			}
			silence.wait();
			call.end();
		};
		call.on("error", () => {}); // told to the callback above
		signal.addEventListener("abort", cancel);
		if (signal.aborted) cancel();
		send().catch((error) => {
			reject(error);
			cancel();
		});
	});
}
