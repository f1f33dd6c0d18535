import type { FileMetaData } from "hyparquet";
import { z } from "zod";

/** The part of Hugging Face's description of a data set that names the classes of a column. */
const featuresSchema = z.object({
	info: z.object({ features: z.record(z.string(), z.object({ names: z.array(z.string()) }).or(z.unknown())) }),
});

/** Returns the names of the classes of each column that Hugging Face's `datasets` wrote as numbers. */
export function classNames(metadata: FileMetaData): Map<string, readonly string[]> {
	const text = metadata.key_value_metadata?.find(({ key }) => key === "huggingface")?.value;
	const names = new Map<string, readonly string[]>();
	for (const [column, feature] of Object.entries(parseFeatures(text)))
		if (isClasses(feature)) names.set(column, feature.names);
	return names;
}

/** Converts a value of a Parquet file to one of JSON. */
export function toJson(value: unknown): unknown {
	if (value === undefined) return null;
	if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
	if (value instanceof Date) return value.toISOString();
	if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
	if (Array.isArray(value)) return value.map(toJson);
	if (typeof value !== "object" || value === null) return value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toJson(inner)]));
}

function parseFeatures(text: string | undefined): Readonly<Record<string, unknown>> {
	try {
		return featuresSchema.parse(JSON.parse(text ?? "")).info.features;
	} catch {
		// Other programs write other things, or nothing.
		return {};
	}
}

function isClasses(feature: unknown): feature is { readonly names: readonly string[] } {
	return typeof feature === "object" && feature !== null && "names" in feature && Array.isArray(feature.names);
}
