import { RECONNECT_FIRST_MS, RECONNECT_LONGEST_MS } from "./deadlines.js";

/**
 * Follows the server's events, and connects again when the connection is lost.
 * @param path of the events
 * @param headers of the request
 * @param use called with the name of each event and its data
 * @param onConnection called with "open", "lost", "refused", or with "failed" and the server's message if it can't send
 *   events now
 * @param isOver whether the server is expected to have ended
 */
export async function followEvents(path, headers, { use, onConnection, isOver }) {
	let waitMs = RECONNECT_FIRST_MS;
	for (;;) {
		let problem;
		try {
			const response = await fetch(path, { headers });
			if (response.status === 401 || response.status === 403) return onConnection("refused");
			if (response.ok) {
				onConnection("open");
				waitMs = RECONNECT_FIRST_MS;
				await readEvents(response.body, use);
			} else problem = (await response.json()).message;
		} catch {
			// The connection was lost.
		}
		if (isOver()) return onConnection("over");
		onConnection(problem === undefined ? "lost" : "failed", problem);
		await new Promise((resolve) => setTimeout(resolve, waitMs));
		waitMs = Math.min(waitMs * 2, RECONNECT_LONGEST_MS);
	}
}

async function readEvents(body, use) {
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let text = "";
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		text += value;
		const messages = text.split("\n\n");
		text = messages.pop();
		for (const message of messages) {
			const [event, data] = message.split("\n").map((line) => line.slice(line.indexOf(": ") + 2));
			use(event, JSON.parse(data));
		}
	}
}
