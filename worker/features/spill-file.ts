import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";

/**
 * Numbers in a temporary file. The file's name is removed as soon as the file is open, so that even a killed process
 * leaves nothing behind.
 */
export class SpillFile {
	readonly #folder: string;
	#file: number | undefined;
	#path = "";
	#endBytes = 0;

	/** @param folder for the file, which is created at the first write; default: the system's temporary folder */
	constructor(folder = tmpdir()) {
		this.#folder = folder;
	}

	/** Bytes written so far. */
	get sizeBytes(): number {
		return this.#endBytes;
	}

	/**
	 * Appends numbers.
	 * @returns the position to read them from
	 * @throws TailtuneError "disk" if they can't be written; earlier numbers stay readable
	 */
	append(numbers: Float32Array): number {
		const bytes = bytesOf(numbers);
		const position = this.#endBytes;
		try {
			this.#file ??= this.#open();
			// The system may write fewer bytes than given.
			for (let done = 0; done < bytes.length; ) {
				done += writeSync(this.#file, bytes, done, bytes.length - done, position + done);
			}
		} catch (cause) {
			throw diskError(`features can't be written to ${this.#folder}`, `${bytes.length} more bytes`, cause);
		}
		this.#endBytes += bytes.length;
		return position;
	}

	/** Reads numbers. @throws TailtuneError "disk" if the disk fails */
	read(position: number, length: number): Float32Array<ArrayBuffer> {
		const numbers = new Float32Array(length);
		const bytes = bytesOf(numbers);
		try {
			for (let done = 0; done < bytes.length; ) {
				const count = readSync(this.#file as number, bytes, done, bytes.length - done, position + done);
				if (count === 0) throw new Error("the file ends early");
				done += count;
			}
		} catch (cause) {
			throw diskError(`features can't be read from ${this.#folder}`, `${bytes.length} bytes`, cause);
		}
		return numbers;
	}

	/** Removes the file. */
	close(): void {
		if (this.#file === undefined) return;
		closeSync(this.#file);
		this.#file = undefined;
		rmSync(this.#path, { force: true });
	}

	#open(): number {
		this.#path = join(this.#folder, `tailtune-features-${randomUUID()}`);
		const file = openSync(this.#path, "wx+", 0o600);
		try {
			rmSync(this.#path);
		} catch {
			// This system can't remove an open file, so close() removes it.
		}
		return file;
	}
}

function bytesOf(numbers: Float32Array): Uint8Array {
	return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function diskError(problem: string, size: string, cause: unknown): TailtuneError {
	const reason = systemCodeOf(cause) ?? (cause instanceof Error ? cause.message : String(cause));
	const hint = "expected free space: increase --feature-memory, or set TMPDIR to another folder";
	return new TailtuneError("disk", `${problem}: ${reason} at ${size}; ${hint}`, { cause });
}
