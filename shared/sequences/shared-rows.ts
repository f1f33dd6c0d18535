/** Rows to compute for token sequences, and which of them is each token's. */
export interface SharedRows {
	readonly rows: number;
	/** The row of each token of each sequence. */
	readonly rowsOf: readonly Uint32Array[];
}

/** How many first tokens two sequences have in common. */
export function commonPrefixLength(a: Uint32Array, b: Uint32Array): number {
	const most = Math.min(a.length, b.length);
	let at = 0;
	while (at < most && a[at] === b[at]) at++;
	return at;
}

/**
 * A row for each distinct beginning of sequences. Where attention is causal a token's hidden state depends on the tokens up
 * to it alone, so one row serves all sequences that begin alike.
 */
export function sharedRows(sequences: readonly Uint32Array[]): SharedRows {
	const tokensOf = (index: number) => sequences[index] as Uint32Array;
	// In order, the one that has most in common with a sequence is the one before it.
	const order = [...sequences.keys()].sort((a, b) => compare(tokensOf(a), tokensOf(b)));
	const rowsOf: Uint32Array[] = sequences.map(() => new Uint32Array(0));
	let rows = 0;
	let before: { readonly tokens: Uint32Array; readonly own: Uint32Array } = {
		tokens: new Uint32Array(0),
		own: new Uint32Array(0),
	};
	for (const index of order) {
		const tokens = tokensOf(index);
		const own = new Uint32Array(tokens.length);
		const common = commonPrefixLength(before.tokens, tokens);
		own.set(before.own.subarray(0, common));
		for (let at = common; at < own.length; at++) own[at] = rows++;
		rowsOf[index] = own;
		before = { tokens, own };
	}
	return { rows, rowsOf };
}

function compare(a: Uint32Array, b: Uint32Array): number {
	const at = commonPrefixLength(a, b);
	return (a[at] ?? -1) - (b[at] ?? -1);
}
