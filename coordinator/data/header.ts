import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";

/** Names of columns as they are compared: blanks around them and case don't count. */
export function plainName(name: string): string {
	return name.trim().toLowerCase();
}

/**
 * The place of a column in a header. A name that is exactly the one asked for wins over one of other case.
 * @param flag the flag that names the column, for the message
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

/** Throws TailtuneError "data" if a row repeats the header, as in files that were joined. */
export function refuseHeader(fields: readonly string[], header: readonly string[], source: string): void {
	if (fields.some((field, place) => field !== header[place])) return;
	throw new TailtuneError("data", `${source}: found the header again, expected a row; remove this line`);
}

function placesOf(header: readonly string[], matches: (column: string) => boolean): number[] {
	return [...header.keys()].filter((place) => matches(header[place] ?? ""));
}
