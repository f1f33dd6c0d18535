/** Rows to compute for token sequences, and the row of each token. */
export interface SharedRows {
	readonly rows: number;
	/** The row of each token of each sequence. */
	readonly rowsOf: readonly Uint32Array[];
}

/** Returns the number of first tokens that are equal in two sequences. */
export function commonPrefixLength(a: Uint32Array, b: Uint32Array): number {
	const most = Math.min(a.length, b.length);
	let at = 0;
	while (at < most && a[at] === b[at]) at++;
	return at;
}

/**
 * Assigns one row to each distinct prefix of the sequences. If attention is causal, a token's hidden state depends only
 * on the tokens up to it, so sequences with a common prefix share its rows.
 */
export function sharedRows(sequences: readonly Uint32Array[]): SharedRows {
	const tokensOf = (index: number) => sequences[index] as Uint32Array;
	// In sorted order, the longest common prefix of a sequence is the one with its predecessor.
	const order = [...sequences.keys()].sort((a, b) => compare(tokensOf(a), tokensOf(b)));
	const rowsOf: Uint32Array[] = sequences.map(() => new Uint32Array(0));
	let rows = 0;
	let previous: { readonly tokens: Uint32Array; readonly own: Uint32Array } = {
		tokens: new Uint32Array(0),
		own: new Uint32Array(0),
	};
	for (const index of order) {
		const tokens = tokensOf(index);
		const own = new Uint32Array(tokens.length);
		const common = commonPrefixLength(previous.tokens, tokens);
		own.set(previous.own.subarray(0, common));
		for (let at = common; at < own.length; at++) own[at] = rows++;
		rowsOf[index] = own;
		previous = { tokens, own };
	}
	return { rows, rowsOf };
}

function compare(a: Uint32Array, b: Uint32Array): number {
	const at = commonPrefixLength(a, b);
	return (a[at] ?? -1) - (b[at] ?? -1);
}
