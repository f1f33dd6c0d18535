const REPLACEMENT = "\uFFFD";
const REPLACEMENT_BYTES = Buffer.from(REPLACEMENT);

/**
 * Whether all texts of a decoded message were UTF-8 and have at most `longest` characters. Decoding replaces invalid
 * bytes by U+FFFD, so a message with more of these in its texts than in its bytes wasn't UTF-8. The time is
 * proportional to the bytes.
 */
export function areTextsUsable(message: object, bytes: Buffer, longest: number): boolean {
	const count = countReplacements(message, longest);
	if (count === undefined || count === 0) return count === 0;
	return count <= countPlaces((from) => bytes.indexOf(REPLACEMENT_BYTES, from), REPLACEMENT_BYTES.length);
}

/** Counts U+FFFD in all texts of a message, at any depth; undefined if a text is too long. */
function countReplacements(value: unknown, longest: number): number | undefined {
	if (typeof value === "string") {
		if (value.length > longest) return undefined;
		return countPlaces((from) => value.indexOf(REPLACEMENT, from), REPLACEMENT.length);
	}
	if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 0;
	if (Array.isArray(value) && typeof value[0] === "number") return 0;
	let count = 0;
	for (const part of Array.isArray(value) ? value : Object.values(value)) {
		const found = countReplacements(part, longest);
		if (found === undefined) return undefined;
		count += found;
	}
	return count;
}

/** Counts the results of a search. @param find returns the first position from a given one on, -1 if there is none */
function countPlaces(find: (from: number) => number, length: number): number {
	let count = 0;
	for (let place = find(0); place >= 0; place = find(place + length)) count++;
	return count;
}
