const MOST_NAMED = 12;
const LONGEST_NAME = 60;

/** Names in a list for a message: a dozen of them, each cut if it is long, and how many more there are. */
export function nameSome(names: readonly string[]): string {
	const some = names
		.slice(0, MOST_NAMED)
		.map((name) => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}...` : name));
	const rest = names.length - some.length;
	return `${some.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
