import type { TableFormat } from "./table.ts";

const SEPARATOR_NAMES: { readonly [separator: string]: string } = {
	",": "commas",
	";": "semicolons",
	"\t": "tabs",
	"|": "bars",
};

/** Describes a format for people, for example "CSV separated by semicolons, Windows-1252, packed by gzip". */
export function describeFormat({ name, separator, encoding, isPacked }: TableFormat): string {
	const by = separator === undefined ? "" : ` separated by ${SEPARATOR_NAMES[separator] ?? JSON.stringify(separator)}`;
	return [name + by, encoding, isPacked ? "packed by gzip" : undefined].filter((part) => part !== undefined).join(", ");
}

/** Whether something about the format was detected that its user may not expect: another separator or encoding. */
export function isUnusual({ separator = ",", encoding = "UTF-8" }: TableFormat): boolean {
	return separator !== "," || encoding !== "UTF-8";
}
