import { TailtuneError } from "../../shared/errors.ts";
import { checkUtf8, countLineFeeds } from "../../shared/files/text-file.ts";
import type { TrainConfig } from "../../shared/settings/config.ts";

/** How bytes become text. */
export interface Encoding {
	/** For people. */
	readonly name: "UTF-8" | "UTF-16" | "Windows-1252";
	/** Returns the number of bytes at the end that begin a character but don't complete it. */
	readonly incomplete: (bytes: Buffer) => number;
	/**
	 * Decodes bytes that hold whole characters.
	 * @param line number of the line with which they begin
	 * @throws TailtuneError "data" that names file and line
	 */
	readonly decode: (bytes: Buffer, file: string, line: number) => string;
}

const UTF_8: Encoding = {
	name: "UTF-8",
	incomplete: incompleteEnd,
	decode: (bytes, file, line) => {
		checkUtf8(bytes, file, line, "expected UTF-8, or --encoding latin1 for a file in ISO 8859-1 or Windows-1252");
		return bytes.toString("utf8");
	},
};

/** The characters of the bytes 80 to 9f. TextDecoder gives control characters instead (Node 20 to 23). */
const HIGH = "€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ";

const WINDOWS_1252: Encoding = {
	name: "Windows-1252",
	incomplete: () => 0,
	decode: (bytes, file, line) => {
		const nul = bytes.indexOf(0);
		if (nul < 0)
			return bytes.toString("latin1").replaceAll(/[\x80-\x9f]/g, (char) => HIGH[char.charCodeAt(0) - 0x80] ?? char);
		throw new TailtuneError(
			"data",
			`${file}:${line + countLineFeeds(bytes.subarray(0, nul))}: found a NUL byte, expected text`,
		);
	},
};

const UTF_16_LE = utf16((bytes) => bytes);
// swap16 works in place.
const UTF_16_BE = utf16((bytes) => Buffer.from(bytes).swap16());

function utf16(toLittleEndian: (bytes: Buffer) => Buffer): Encoding {
	return { name: "UTF-16", incomplete, decode };

	function incomplete(bytes: Buffer): number {
		const odd = bytes.length % 2;
		if (bytes.length - odd < 2) return odd;
		const last = toLittleEndian(bytes.subarray(bytes.length - odd - 2, bytes.length - odd)).readUInt16LE();
		return last >= 0xd800 && last < 0xdc00 ? odd + 2 : odd;
	}

	function decode(bytes: Buffer, file: string, line: number): string {
		const text = bytes.length % 2 === 0 ? toLittleEndian(bytes).toString("utf16le") : "\ud800";
		const bad = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text);
		if (!bad) return text;
		const place = `${file}:${line - 1 + text.slice(0, bad.index).split("\n").length}`;
		throw new TailtuneError("data", `${place}: found bytes that aren't UTF-16, expected text in UTF-16 or UTF-8`);
	}
}

const MARKS: readonly [mark: Buffer, encoding: Encoding][] = [
	[Buffer.of(0xef, 0xbb, 0xbf), UTF_8],
	[Buffer.of(0xff, 0xfe), UTF_16_LE],
	[Buffer.of(0xfe, 0xff), UTF_16_BE],
];

/** Bytes at the start of a file from which its encoding is detected. */
const DETECTED_BYTES = 4096;
/** Text in UTF-16 has at least this share of ASCII characters: separators, blanks, line ends. */
const LEAST_ASCII = 0.05;

/**
 * Detects the encoding of a file from its start. A byte order mark decides. Without one, text in UTF-16 is found by NUL
 * bytes in every second place; UTF-8 has none.
 * @param asked the encoding of a file that is neither UTF-16 nor has a byte order mark
 */
export function detectEncoding(start: Buffer, asked: TrainConfig["encoding"] = "auto"): Encoding {
	for (const [mark, encoding] of MARKS) if (start.subarray(0, mark.length).equals(mark)) return encoding;
	const units = Math.floor(Math.min(start.length, DETECTED_BYTES) / 2);
	const zeros = [0, 0] as [number, number];
	for (let at = 0; at < 2 * units; at++) if (start[at] === 0) zeros[(at % 2) as 0 | 1]++;
	const [even, odd] = zeros;
	const least = Math.max(2, LEAST_ASCII * units);
	// Few characters have a zero byte in the other place (U+0100).
	if (odd >= least && even * 4 <= odd) return UTF_16_LE;
	if (even >= least && odd * 4 <= even) return UTF_16_BE;
	return asked === "latin1" ? WINDOWS_1252 : UTF_8;
}

/** Returns the number of bytes at the end that begin a character of UTF-8 but don't complete it. */
function incompleteEnd(bytes: Buffer): number {
	for (let count = 1; count <= Math.min(3, bytes.length); count++) {
		const byte = bytes[bytes.length - count] as number;
		if ((byte & 0b1100_0000) === 0b1000_0000) continue;
		const expected = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
		return expected > count ? count : 0;
	}
	return 0;
}
