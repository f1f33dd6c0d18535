import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";

/**
 * Unpacks gzip.
 * @throws TailtuneError "data" if the bytes are damaged or incomplete, or an error of `chunks`
 */
export async function* unpackGzip(chunks: AsyncIterable<Buffer>, file: string): AsyncGenerator<Buffer> {
	const unpacked = createGunzip({ chunkSize: 256 << 10 });
	// Errors of both streams reach the loop below.
	pipeline(Readable.from(chunks), unpacked, () => {});
	try {
		for await (const chunk of unpacked) yield chunk as Buffer;
	} catch (error) {
		if (!systemCodeOf(error)?.startsWith("Z_")) throw error;
		const found = systemCodeOf(error) === "Z_BUF_ERROR" ? "it ends too early" : "it is damaged";
		throw new TailtuneError("data", `${file}: can't be unpacked by gzip: ${found}`, { cause: error });
	}
}
