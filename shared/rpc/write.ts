interface Sink<Message> {
	write(message: Message, done: () => void): boolean;
}

/**
 * Sends a message of a stream; resolves when it has gone out, and so at the pace of the receiver. By then it may be
 * changed. Resolves too when `ended` aborts: the library calls nothing back for a call that is over.
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
