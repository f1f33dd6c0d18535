import { TailtuneError } from "../../shared/errors.ts";
import { nameSome } from "./name-some.ts";
import type { TableRow } from "./table.ts";

/**
 * Returns a field of a row. Its values may be objects or lists, and a name with dots is a path through them
 * (`payload.body`, `messages.0.content`), unless a field has that very name.
 * @param flag the flag that sets the name, for the message
 * @throws TailtuneError "data" that names the row, and the fields that there are at the first unknown part of the path
 */
export function findField({ names, values, source }: TableRow, name: string, flag: string): unknown {
	const place = names.indexOf(name);
	if (place >= 0) return values[place];
	const parts = name.split(".");
	let value: unknown = Object.fromEntries(names.map((own, index) => [own, values[index]]));
	for (const [depth, part] of parts.entries()) {
		if (isHolder(value) && Object.hasOwn(value, part)) {
			value = value[part];
			continue;
		}
		const path = parts.slice(0, depth).map((known) => `${known}.`);
		const others = isHolder(value) ? Object.keys(value).map((key) => path.join("") + key) : [];
		const found = nameSome(others.length > 0 ? others : names) || "none";
		throw new TailtuneError("data", `${source}: no field ${JSON.stringify(name)} (${flag}); found ${found}`);
	}
	return value;
}

function isHolder(value: unknown): value is { readonly [key: string]: unknown } {
	return typeof value === "object" && value !== null;
}
