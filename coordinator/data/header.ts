import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";

/** Returns a column's name in the form used for comparisons: without surrounding blanks, in lower case. */
export function plainName(name: string): string {
	return name.trim().toLowerCase();
}

/**
 * Returns the index of a column in a header. An exact match wins over one that differs in case.
 * @param flag the flag that sets the column's name, for the message
 * @param source "file:line" of the header
 * @throws TailtuneError "data" if no column, or more than one, has that name
 */
export function findColumn(header: readonly string[], name: string, flag: string, source: string): number {
	const exact = placesOf(header, (column) => column.trim() === name);
	const places = exact.length > 0 ? exact : placesOf(header, (column) => plainName(column) === plainName(name));
	const [place] = places;
	if (place !== undefined && places.length === 1) return place;
	const found = place === undefined ? "no column" : `${places.length} columns`;
	const names = nameSome(header.map((column) => column.trim()));
	throw new TailtuneError("data", `${source}: ${found} ${JSON.stringify(name)} (${flag}); found ${names}`);
}

/** Returns the error of a row that hasn't as many fields as the header; undefined if it has. */
export function columnCountFault(
	fields: readonly string[],
	header: readonly string[],
	source: string,
): TailtuneError | undefined {
	if (fields.length === header.length) return undefined;
	const found = `found ${fields.length} ${fields.length === 1 ? "field" : "fields"}`;
	return new TailtuneError("data", `${source}: ${found}, expected ${header.length} as in the header`);
}

/** Returns the error of a row that repeats the header, as happens when files are joined; undefined if it doesn't. */
export function repeatedHeaderFault(
	fields: readonly string[],
	header: readonly string[],
	source: string,
): TailtuneError | undefined {
	if (fields.some((field, place) => field !== header[place])) return undefined;
	return new TailtuneError("data", `${source}: found the header again, expected a row; remove this line`);
}

function placesOf(header: readonly string[], matches: (column: string) => boolean): number[] {
	return [...header.keys()].filter((place) => matches(header[place] ?? ""));
}
