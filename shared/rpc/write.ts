interface Sink<Message> {
	write(message: Message, done: () => void): boolean;
}

/**
 * Sends a message of a stream. Resolves when it has been sent, which gives back-pressure; then the message may be
 * changed. Resolves too when `ended` aborts, because the library calls nothing back after a call has ended.
 */
export function write<Message>(call: Sink<Message>, message: Message, ended: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		const done = () => {
			ended.removeEventListener("abort", done);
			resolve();
		};
		ended.addEventListener("abort", done);
		if (ended.aborted) done();
		else call.write(message, done);
	});
}
