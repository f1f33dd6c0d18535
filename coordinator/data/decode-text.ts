import type { Encoding } from "./encodings.ts";

/**
 * Decodes a stream of bytes, without a byte order mark.
 * @param file source of the bytes, for messages
 * @throws TailtuneError "data" that names the first line with bytes that aren't text in this encoding
 */
export async function* decodeText(
	chunks: AsyncIterable<Buffer>,
	encoding: Encoding,
	file: string,
): AsyncGenerator<string> {
	let line = 1;
	let held: Buffer = Buffer.alloc(0);
	let isStart = true;
	for await (const chunk of chunks) {
		const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
		const end = bytes.length - encoding.incomplete(bytes);
		held = bytes.subarray(end);
		const text = decode(bytes.subarray(0, end));
		if (text !== "") yield text;
	}
	const text = decode(held);
	if (text !== "") yield text;

	function decode(bytes: Buffer): string {
		const text = encoding.decode(bytes, file, line);
		for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) line++;
		if (!isStart) return text;
		const unmarked = text.replace(/^\ufeff+/, "");
		isStart = unmarked === "";
		return unmarked;
	}
}

/** Decodes all bytes of a file, as `decodeText`. */
export function decodeWhole(bytes: Buffer, encoding: Encoding, file: string): string {
	return encoding.decode(bytes, file, 1).replace(/^\ufeff+/, "");
}
