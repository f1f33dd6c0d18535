import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";

const GZIP = Buffer.of(0x1f, 0x8b);

/** First bytes of files that are often given as data and that aren't text. */
const OTHERS: readonly [start: Buffer, advice: string][] = [
	[Buffer.from("PK\x03\x04"), "a ZIP archive or a spreadsheet; unpack it, or save the table as CSV"],
	[Buffer.of(0x28, 0xb5, 0x2f, 0xfd), "a Zstandard file; unpack it (zstd -d) or use gzip"],
	[Buffer.of(0xfd, 0x37, 0x7a, 0x58, 0x5a), "an xz file; unpack it (xz -d) or use gzip"],
	[Buffer.from("BZh"), "a bzip2 file; unpack it (bunzip2) or use gzip"],
	[Buffer.from("%PDF-"), "a PDF document; save its texts as CSV"],
	[Buffer.of(0xd0, 0xcf, 0x11, 0xe0), "an old spreadsheet or Word document; save it as CSV"],
	[Buffer.from("SQLite format 3\0"), "an SQLite database; save the table as CSV"],
	[Buffer.from("ARROW1"), "an Arrow file; save it as Parquet or CSV"],
];

/** Whether a file that begins with these bytes is packed by gzip. */
export function isGzip(start: Buffer): boolean {
	return startsWith(start, GZIP);
}

/** Throws TailtuneError "data" with advice if a file that begins with these bytes is of a kind that can't be read. */
export function refuseOtherKinds(start: Buffer, file: string): void {
	const [, advice] = OTHERS.find(([bytes]) => startsWith(start, bytes)) ?? [];
	if (advice) throw new TailtuneError("data", `${file}: found ${advice}`);
}

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

function startsWith(start: Buffer, bytes: Buffer): boolean {
	return start.subarray(0, bytes.length).equals(bytes);
}
