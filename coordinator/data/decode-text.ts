import { checkUtf8, countLineFeeds, incompleteEnd } from "../../shared/files/text-file.ts";

/**
 * Decodes a stream of UTF-8, without a byte order mark.
 * @param file source of the bytes, for messages
 * @throws TailtuneError "data" that names the first line with bytes that aren't UTF-8 or a NUL byte
 */
export async function* decodeText(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<string> {
	let line = 1;
	let held: Buffer = Buffer.alloc(0);
	let isStart = true;
	for await (const chunk of chunks) {
		const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
		const end = bytes.length - incompleteEnd(bytes);
		held = bytes.subarray(end);
		const text = decode(bytes.subarray(0, end));
		if (text !== "") yield text;
	}
	const text = decode(held);
	if (text !== "") yield text;

	function decode(bytes: Buffer): string {
		checkUtf8(bytes, file, line);
		line += countLineFeeds(bytes);
		const text = bytes.toString("utf8");
		if (!isStart) return text;
		const unmarked = text.replace(/^\ufeff+/, "");
		isStart = unmarked === "";
		return unmarked;
	}
}
