/**
 * Computes the exact McNemar test (McNemar 1947): whether two classifiers differ on the same texts. If they don't, each
 * text that only one of them gets right is equally likely to be right with either.
 * @param onlyFirst texts that only the first one got right
 * @param onlySecond texts that only the second one got right
 * @returns the two-sided p-value: the probability of counts at least as uneven by chance; 1 if both counts are 0
 */
export function mcnemarTest(onlyFirst: number, onlySecond: number): number {
	const texts = onlyFirst + onlySecond;
	// The binomial distribution with probability 1/2, as logarithms: 2^-texts is too small for a number.
	let logTerm = -texts * Math.LN2;
	let tail = 0;
	for (let k = 0; k <= Math.min(onlyFirst, onlySecond); k++) {
		tail += Math.exp(logTerm);
		logTerm += Math.log((texts - k) / (k + 1));
	}
	return Math.min(1, 2 * tail);
}
