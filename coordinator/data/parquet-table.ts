import type { FileHandle } from "node:fs/promises";
import {
	type AsyncBuffer,
	type Compressors,
	type FileMetaData,
	parquetMetadataAsync,
	parquetReadObjects,
	parquetSchema,
	type SchemaTree,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { TailtuneError } from "../../shared/errors.ts";
import { MOST_TEXT_BYTES, openRegularFile } from "../../shared/files/regular-file.ts";
import { classNames, toJson } from "./parquet-values.ts";
import type { RowBatches, Table, TableRow } from "./table.ts";

/**
 * Opens a Parquet file. One group of rows is in memory at a time. Values are those of JSON: numbers of 64 bits that
 * aren't safe, dates and bytes become strings. Class numbers of a Hugging Face data set become their names.
 * @throws TailtuneError "not-found", or "data" if it isn't a Parquet file that can be read
 */
export async function openParquet(path: string): Promise<Omit<Table, "rows"> & { readonly batches: RowBatches }> {
	const handle = await openRegularFile(path, "data");
	const { size } = await handle.stat();
	const file = new ParquetBytes(handle, size);
	try {
		const metadata = await parquetMetadataAsync(file);
		checkColumns(metadata);
		const batches = readGroups(path, file, metadata);
		return { format: { name: "Parquet" }, header: undefined, batches, close: () => file.close() };
	} catch (cause) {
		file.close();
		throw toFault(path, cause);
	}
}

class ParquetBytes implements AsyncBuffer {
	readonly byteLength: number;
	readonly #handle: FileHandle;
	readonly #reads = new Set<Promise<ArrayBuffer>>();

	constructor(handle: FileHandle, byteLength: number) {
		this.#handle = handle;
		this.byteLength = byteLength;
	}

	slice(start: number, end = this.byteLength): Promise<ArrayBuffer> {
		const read = this.#read(start, Math.min(end, this.byteLength) - start);
		this.#reads.add(read);
		const forget = () => void this.#reads.delete(read);
		read.then(forget, forget);
		return read;
	}

	/** Closes the file after the reads that have begun: after an error, those of other columns are still on their way. */
	close(): void {
		void Promise.allSettled(this.#reads)
			.then(() => this.#handle.close())
			.catch(() => {});
	}

	async #read(start: number, length: number): Promise<ArrayBuffer> {
		const buffer = new ArrayBuffer(Math.max(0, length));
		if (buffer.byteLength > 0) await this.#handle.read(new Uint8Array(buffer), 0, length, start);
		return buffer;
	}
}

/**
 * Checks that each group has the columns of the schema. With others, hyparquet would leave promises that are never
 * awaited; their errors would end the process.
 */
function checkColumns(metadata: FileMetaData): void {
	const expected = leavesOf(parquetSchema(metadata)).sort().join();
	for (const { columns } of metadata.row_groups) {
		const found = columns.map(({ meta_data: meta }) => String(meta?.path_in_schema.join("."))).sort();
		if (found.join() !== expected) throw new Error("the columns of a group aren't those of the schema");
	}
}

function leavesOf({ children, path }: SchemaTree): string[] {
	return children.length === 0 ? [path.join(".")] : children.flatMap(leavesOf);
}

async function* readGroups(path: string, file: ParquetBytes, metadata: FileMetaData): RowBatches {
	const classes = classNames(metadata);
	const decompress = limitOutput(path);
	let rowStart = 0;
	try {
		for (const { num_rows, total_byte_size } of metadata.row_groups) {
			if (total_byte_size > MOST_TEXT_BYTES) throw tooLarge(path, Number(total_byte_size));
			const rowEnd = rowStart + Number(num_rows);
			const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors: decompress });
			const first = rowStart + 1;
			yield rows.map((row, index) => toRow(row, `${path}:${first + index}`, classes));
			rowStart = rowEnd;
		}
	} catch (cause) {
		throw toFault(path, cause);
	} finally {
		file.close();
	}
}

function toRow(row: object, source: string, classes: ReadonlyMap<string, readonly string[]>): TableRow {
	const names = Object.keys(row);
	const values = Object.entries(row).map(([name, value]) => {
		const plain = toJson(value);
		return classes.get(name)?.[Number(plain)] ?? plain;
	});
	return { source, names, values, isBlank: values.every((value) => value === null || value === "") };
}

/** A page says how long it is when unpacked. Checked before the memory for it is taken. */
function limitOutput(path: string): Compressors {
	const limited = Object.entries(compressors).map(([name, decompress]): [string, typeof decompress] => [
		name,
		(input, length) => {
			if (length > MOST_TEXT_BYTES) throw tooLarge(path, length);
			// LZ4 fails for nothing.
			return length === 0 ? new Uint8Array() : decompress(input, length);
		},
	]);
	return Object.fromEntries(limited);
}

function tooLarge(path: string, bytes: number): TailtuneError {
	const found = `found a group of rows of ${bytes} bytes, expected at most ${MOST_TEXT_BYTES}`;
	return new TailtuneError("data", `${path}: ${found}; write it with smaller row groups`);
}

function toFault(path: string, cause: unknown): TailtuneError {
	if (cause instanceof TailtuneError) return cause;
	const reason = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, " ");
	return new TailtuneError("data", `${path}: can't be read as Parquet: ${reason}`, { cause });
}
