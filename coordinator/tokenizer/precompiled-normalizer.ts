/** Characters that are joined with a neighbour to one visible character only by characters that aren't in here. */
const SIMPLE =
	String.raw`\x20-\x7e\xa1-\xac\xae-\u02ff\u0391-\u03ff\u0400-\u0481\u3001-\u3029\u3041-\u3096\u30a1-\u30ff` +
	String.raw`\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d`;

/** A run of simple characters, or other characters with the simple ones that may belong to them. */
const RUNS = new RegExp(`([${SIMPLE}]+)(?![^${SIMPLE}])|(?:[${SIMPLE}]?[^${SIMPLE}]+)+[${SIMPLE}]?`, "gu");

/** Length from which a visible character isn't replaced as a whole, in bytes. */
const TOO_LONG = 6;

const GRAPHEMES = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Length of a part that is divided at once, in UTF-16 units. */
const PART = 500;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Returns the replacement of a text; undefined if it stays. */
type Replacement = (text: string) => string | undefined;

/**
 * Returns the normalizer of a SentencePiece model with its own replacements. As in Hugging Face's library, a visible
 * character of at most five bytes is replaced as a whole by the replacement of its shortest beginning that has one.
 * @param charsmap `precompiled_charsmap`, in base 64
 * @throws RangeError if it isn't complete
 */
export function createPrecompiledNormalizer(charsmap: string): (text: string) => string {
	const replacementOf = cached(readReplacements(Buffer.from(charsmap, "base64")));
	const replaceEach = (text: string) => {
		let replaced = "";
		for (const character of text) replaced += replacementOf(character) ?? character;
		return replaced;
	};
	return (text) =>
		text.replaceAll(RUNS, (run: string, simple: string | undefined) => {
			if (simple !== undefined) return replaceEach(run);
			let replaced = "";
			for (const character of visibleCharacters(run)) {
				const whole = Buffer.byteLength(character) < TOO_LONG ? replacementOf(character) : undefined;
				replaced += whole ?? replaceEach(character);
			}
			return replaced;
		});
}

/** Divides a text into visible characters. In short parts, because Intl.Segmenter needs quadratic time. */
function* visibleCharacters(text: string): Generator<string> {
	for (let start = 0, length = PART; start < text.length; ) {
		const isLast = start + length >= text.length;
		const found = Array.from(GRAPHEMES.segment(text.slice(start, start + length)), ({ segment }) => segment);
		// The last one may continue in the next part.
		if (!isLast) found.pop();
		length = found.length === 0 ? 2 * length : PART;
		for (const character of found) {
			yield character;
			start += character.length;
		}
	}
}

function cached(find: Replacement): Replacement {
	const known = new Map<string, string | undefined>();
	return (text) => {
		if (known.has(text)) return known.get(text);
		const found = find(text);
		if (known.size < 100_000) known.set(text, found);
		return found;
	};
}

/** Reads the length of a trie, the trie (a double array, as Darts writes it), and replacements that end with a zero. */
function readReplacements(bytes: Buffer): Replacement {
	const end = 4 + bytes.readUInt32LE(0);
	const units = Int32Array.from({ length: (end - 4) >> 2 }, (_, i) => bytes.readInt32LE(4 + 4 * i));
	const replacements = bytes.subarray(end);
	const offsetOf = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
	return (text) => {
		let position = offsetOf(units[0] ?? 0);
		for (const byte of encoder.encode(text)) {
			if (byte === 0) return undefined;
			position ^= byte;
			const unit = units[position] ?? 0;
			if ((unit & 0x800000ff) !== byte) return undefined;
			position ^= offsetOf(unit);
			if ((unit & 0x100) === 0) continue;
			const start = (units[position] ?? 0) & 0x7fffffff;
			return decoder.decode(replacements.subarray(start, replacements.indexOf(0, start)));
		}
		return undefined;
	};
}
