/** Whether tokenizer files write a byte as the Latin-1 character with the same number. */
const isPrintable = (byte: number) => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);

/** The character for each byte in the files of a byte-level tokenizer: its Latin-1 character, or one from U+0100 on. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
	let others = 0;
	return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isPrintable(byte) ? byte : 256 + others++));
})();

/** Writes bytes as in the files of a byte-level tokenizer. */
export function writeBytes(bytes: Uint8Array): string {
	return Array.from(bytes, (byte) => BYTE_CHARACTERS[byte]).join("");
}
