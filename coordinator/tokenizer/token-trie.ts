import { PairTable } from "./pair-table.ts";

/** A trie of tokens: finds all tokens that begin at a position of a text, one UTF-16 unit after the other. */
export class TokenTrie {
	readonly #children: PairTable;
	readonly #ids: Int32Array;

	/** @param tokens ids that aren't negative, by token; of equal tokens the last one counts */
	constructor(tokens: ReadonlyMap<string, number>) {
		const sorted = [...tokens.keys()].sort();
		let nodes = 1;
		for (const [i, token] of sorted.entries()) nodes += token.length - commonLength(token, sorted[i - 1] ?? "");
		this.#children = new PairTable(nodes);
		this.#ids = new Int32Array(nodes).fill(-1);
		let used = 1;
		for (const [token, id] of tokens) {
			let node = 0;
			for (let at = 0; at < token.length; at++) {
				const unit = token.charCodeAt(at);
				const child = this.next(node, unit);
				if (child < 0) this.#children.set(node, unit, used, 0);
				node = child < 0 ? used++ : child;
			}
			this.#ids[node] = id;
		}
	}

	/** Returns the node after one more unit; -1 if no token continues so. Node 0 is the beginning of all tokens. */
	next(node: number, unit: number): number {
		return this.#children.first(node, unit);
	}

	/** Returns the id of the token that ends at a node; -1 if none does. */
	idAt(node: number): number {
		return this.#ids[node] as number;
	}
}

function commonLength(a: string, b: string): number {
	let length = 0;
	while (length < a.length && a.charCodeAt(length) === b.charCodeAt(length)) length++;
	return length;
}
