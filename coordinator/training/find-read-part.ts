import { tokenizeWithin } from "../data/limit-tokens.ts";

/** Returns the beginning of a text that is read if only its first tokens are. @param tokens number of these */
export async function findReadPart(text: string, tokens: number): Promise<string> {
	const limit = { tokens, long: "cut", reason: "" } as const;
	let [least, most] = [0, text.length];
	while (least < most) {
		const middle = Math.floor((least + most) / 2);
		const [found] = await tokenizeWithin([{ text: text.slice(0, middle) }], limit);
		if ((found?.length ?? 0) < tokens) least = middle + 1;
		else most = middle;
	}
	return text.slice(0, least);
}
