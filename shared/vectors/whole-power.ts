/**
 * `base` to the power of a whole number of 0 or more, by multiplications alone. These are exact to the last bit on
 * every machine; `**` and Math.pow are not: the language leaves their rounding to the engine, and another Node may
 * round otherwise.
 */
export function wholePower(base: number, exponent: number): number {
	let power = 1;
	let square = base;
	for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
		if (left % 2 === 1) power *= square;
		square *= square;
	}
	return power;
}
