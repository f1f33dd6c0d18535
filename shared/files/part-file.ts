import { closeSync, createReadStream, fstatSync, fsync, ftruncateSync, renameSync, rmSync, write } from "node:fs";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { TailtuneError } from "../errors.ts";
import { type LockWait, lockFile, waitForLock } from "./lock-file.ts";
import { asDiskError } from "./write-atomic.ts";

const writeAt = promisify(write);
const flush = promisify(fsync);

/** Returns the path of the received part of a file. */
export function partPath(target: string): string {
	return `${target}.incomplete`;
}

/** The received part of a download, in a file next to its target, to which no other process writes. */
export class PartFile {
	readonly #path: string;
	readonly #file: number;
	#bytes: number;
	#isOpen = true;

	/**
	 * Opens `${target}.incomplete`, with the bytes left by an ended process. If a running process writes to it, waits
	 * until that process has ended or has all bytes. On a system without locks each process uses its own file, without
	 * old bytes.
	 * @throws TailtuneError "disk" if it can't be written; the signal's reason if it aborts
	 */
	static async open(target: string, wait: LockWait): Promise<PartFile> {
		const path = partPath(target);
		const locked = await waitForLock(path, wait);
		return locked.unlocked === undefined
			? new PartFile(path, locked.file)
			: PartFile.#openUnlocked(target, path, locked.file);
	}

	static #openUnlocked(target: string, path: string, file: number): PartFile {
		closeSync(file);
		rmSync(path, { force: true });
		const own = partPath(`${target}-${process.pid}`);
		const locked = lockFile(own);
		if (!locked) throw new TailtuneError("busy", `${own}: another process writes to it`);
		const part = new PartFile(own, locked.file);
		part.restart();
		return part;
	}

	private constructor(path: string, file: number) {
		this.#path = path;
		this.#file = file;
		this.#bytes = fstatSync(file).size;
	}

	/** Number of received bytes. */
	get bytes(): number {
		return this.#bytes;
	}

	/** Removes all bytes. */
	restart(): void {
		ftruncateSync(this.#file, 0);
		this.#bytes = 0;
	}

	/** @throws TailtuneError "disk" */
	async append(chunk: Uint8Array): Promise<void> {
		try {
			for (let from = 0; from < chunk.length; ) {
				const length = chunk.length - from;
				const { bytesWritten } = await writeAt(this.#file, chunk, from, length, this.#bytes);
				from += bytesWritten;
				this.#bytes += bytesWritten;
			}
		} catch (error) {
			throw asDiskError(this.#path, error);
		}
	}

	/** Feeds all bytes to a hash. */
	async hashInto(hash: NodeJS.WritableStream): Promise<void> {
		await pipeline(createReadStream(this.#path, { highWaterMark: 1 << 20 }), hash);
	}

	/** Flushes the file and renames it to `target`. @throws TailtuneError "disk" */
	async moveTo(target: string): Promise<void> {
		try {
			await flush(this.#file);
			renameSync(this.#path, target);
		} catch (error) {
			throw asDiskError(target, error);
		}
		this.close();
	}

	/** Removes the file. */
	remove(): void {
		if (this.#isOpen) rmSync(this.#path, { force: true });
		this.close();
	}

	/** Closes the file; the received bytes stay for the next download. A second call does nothing. */
	close(): void {
		if (this.#isOpen) closeSync(this.#file);
		this.#isOpen = false;
	}
}
