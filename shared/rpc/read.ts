import type { ClientReadableStream } from "@grpc/grpc-js";
import { fromServiceError } from "./status.ts";

/**
 * The messages of a call that answers by a stream, at the pace of the loop; leaving the loop, or `signal`, cancels the call.
 * @throws TailtuneError where the call fails
 */
export async function* readAll<Message>(
	call: ClientReadableStream<Message>,
	signal?: AbortSignal,
): AsyncGenerator<Message> {
	const cancel = () => call.cancel();
	// The end of a call that was left is reported as an error that nobody waits for any more.
	call.on("error", () => {});
	signal?.addEventListener("abort", cancel);
	if (signal?.aborted) cancel();
	try {
		for await (const message of call) yield message as Message;
	} catch (error) {
		throw fromServiceError(error);
	} finally {
		signal?.removeEventListener("abort", cancel);
		cancel();
	}
}
