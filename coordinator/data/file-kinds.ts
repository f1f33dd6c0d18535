import { TailtuneError } from "../../shared/errors.ts";
import { openRegularFile } from "../../shared/files/regular-file.ts";

const GZIP = Buffer.of(0x1f, 0x8b);
const PARQUET = Buffer.from("PAR1");

/** First bytes of files that are often given as data and that aren't text. */
const OTHERS: readonly [start: Buffer, advice: string][] = [
	[Buffer.from("PK\x03\x04"), "a ZIP archive or a spreadsheet; unpack it, or save the table as CSV"],
	[Buffer.of(0x28, 0xb5, 0x2f, 0xfd), "a Zstandard file; unpack it (zstd -d) or use gzip"],
	[Buffer.of(0xfd, 0x37, 0x7a, 0x58, 0x5a), "an xz file; unpack it (xz -d) or use gzip"],
	[Buffer.from("BZh"), "a bzip2 file; unpack it (bunzip2) or use gzip"],
	[Buffer.from("%PDF-"), "a PDF document; save its texts as CSV"],
	[Buffer.of(0xd0, 0xcf, 0x11, 0xe0), "an old spreadsheet or Word document; save it as CSV"],
	[Buffer.from("SQLite format 3\0"), "an SQLite database; save the table as CSV"],
	[PARQUET, "a Parquet file, expected it unpacked and in a file, not in gzip or standard input"],
	[Buffer.from("ARROW1"), "an Arrow file; save it as Parquet or CSV"],
];

/** Whether a file that begins with these bytes is packed by gzip. */
export function isGzip(start: Buffer): boolean {
	return startsWith(start, GZIP);
}

/** Whether a regular file is to be read as Parquet: by its name, or by its first bytes. */
export async function isParquetFile(path: string): Promise<boolean> {
	if (path.toLowerCase().endsWith(".parquet")) return true;
	const file = await openRegularFile(path, "data");
	try {
		const { buffer, bytesRead } = await file.read(Buffer.alloc(PARQUET.length), 0, PARQUET.length, 0);
		return startsWith(buffer.subarray(0, bytesRead), PARQUET);
	} finally {
		await file.close();
	}
}

/** Throws TailtuneError "data" with advice if a file that begins with these bytes is of a kind that can't be read. */
export function refuseOtherKinds(start: Buffer, file: string): void {
	const [, advice] = OTHERS.find(([bytes]) => startsWith(start, bytes)) ?? [];
	if (advice) throw new TailtuneError("data", `${file}: found ${advice}`);
}

function startsWith(start: Buffer, bytes: Buffer): boolean {
	return start.subarray(0, bytes.length).equals(bytes);
}
