// Control characters, line and paragraph separators, and the marks that turn the direction of what follows.
const HARMFUL = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** Text from outside on one line, with everything that could move the cursor or reorder the line written as an escape. */
export function printable(text: string): string {
	return text.replace(HARMFUL, (character) => {
		const code = character.charCodeAt(0).toString(16);
		return SHORT[character] ?? (code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`);
	});
}
