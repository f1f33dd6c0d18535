const MOST_NAMED = 12;
const LONGEST_NAME = 40;

/** Formats a list of names for a message: at most 12 names, long ones cut, then the number of the others. */
export function nameSome(names: readonly string[]): string {
	const some = names.slice(0, MOST_NAMED).map(shortName);
	const rest = names.length - some.length;
	return `${some.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** Cuts a long name for a message. */
export function shortName(name: string): string {
	return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name;
}
