const MOST_NAMED = 12;
const LONGEST_NAME = 40;

/** Names in a list for a message: a dozen of them, each cut if it is long, and how many more there are. */
export function nameSome(names: readonly string[]): string {
	const some = names.slice(0, MOST_NAMED).map(shortName);
	const rest = names.length - some.length;
	return `${some.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}

/** A name for a message: its beginning if it is long. */
export function shortName(name: string): string {
	return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name;
}
