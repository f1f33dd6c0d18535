import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import { checksumOf } from "../../shared/files/checksum.ts";
import type { Update } from "../../shared/updates/updatable-state.ts";

/** Yields an update's parts. Its numbers are copied. @param partBytes most bytes of a part's numbers */
export function* toParts(update: Update, partBytes: number): Generator<UpdatePart> {
	const header = headerOf(update);
	const { buffer, byteLength } = update.gradient.slice();
	for (let byteOffset = 0; byteOffset < byteLength; byteOffset += partBytes) {
		const data = Buffer.from(buffer, byteOffset, Math.min(partBytes, byteLength - byteOffset));
		const rows = byteOffset === 0 ? rowsOf(update) : [];
		yield { header, chunk: { byteOffset, data, xxh64: checksumOf(data) }, rows };
	}
}

/** Returns an update as a part without numbers, for a worker that has computed the whole gradient itself. */
export function withoutNumbers(update: Update): UpdatePart {
	const { buffer, byteOffset, byteLength } = update.gradient;
	const xxh64 = checksumOf(Buffer.from(buffer, byteOffset, byteLength));
	return { header: headerOf(update), chunk: { byteOffset: 0, data: Buffer.alloc(0), xxh64 }, rows: rowsOf(update) };
}

function rowsOf({ rows }: Update): number[] {
	return Array.from(rows ?? []);
}

function headerOf({ version, texts, scalars }: Update): NonNullable<UpdatePart["header"]> {
	return { parameterVersion: version, texts, scalars };
}
