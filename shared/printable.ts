// Control characters, separators other than the space, marks that change the direction of text, and invisible
// characters. The joiners U+200C and U+200D stay, because words and emoji contain them.
const HARMFUL =
	/(?! )[\p{Cc}\p{Z}\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u3164\ufeff\uffa0]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Makes external text safe for one terminal line: escapes characters that move the cursor, reorder or are invisible.
 */
export function printable(text: string): string {
	return text.replace(HARMFUL, (character) => {
		const code = character.charCodeAt(0).toString(16);
		return SHORT[character] ?? (code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`);
	});
}
