/** Asks for server-sent events. Returns functions that read the next one, and that close the connection. */
export async function viewEvents(url: string, headers: Readonly<Record<string, string>>) {
	const response = await fetch(url, { headers });
	const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
	let text = "";
	const next = async () => {
		for (let from = 0; text.indexOf("\n\n", from) === -1; ) {
			from = Math.max(0, text.length - 1);
			const { value, done } = (await reader?.read()) ?? { done: true, value: undefined };
			if (done) return undefined;
			text += value;
		}
		const [message = ""] = text.split("\n\n", 1);
		text = text.slice(message.length + 2);
		const [event, data] = message.split("\n").map((line) => line.replace(/^\w+: /, ""));
		return { event, data: JSON.parse(data ?? "") };
	};
	return { status: response.status, next, close: () => reader?.cancel() };
}
