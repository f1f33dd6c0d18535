import { closeSync, createReadStream, fstatSync, fsync, ftruncateSync, renameSync, rmSync, write } from "node:fs";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { TailtuneError } from "../errors.ts";
import { lockFile } from "./lock-file.ts";
import { asDiskError } from "./write-atomic.ts";

const writeAt = promisify(write);
const flush = promisify(fsync);

/** Processes that download the same file at the same time, each into a part file of its own. */
const MAX_PARTS = 16;

/** The part of a download that has arrived, in a file beside its target that no other process writes to. */
export class PartFile {
	readonly #path: string;
	readonly #file: number;
	#bytes: number;
	#isOpen = true;

	/**
	 * Takes `${target}.incomplete` with the bytes that an ended process left there; if a running process writes to it, the
	 * next of `${target}-2.incomplete`, … that is free. On a system without locks each process has its own, and begins anew.
	 * @throws TailtuneError "busy" if all are taken, "disk" if none can be written
	 */
	static open(target: string): PartFile {
		for (let place = 1; place <= MAX_PARTS; place++) {
			const path = `${target}${place === 1 ? "" : `-${place}`}.incomplete`;
			const locked = lockFile(path);
			if (locked?.unlocked !== undefined) return PartFile.#openUnlocked(target, path, locked.file);
			if (locked) return new PartFile(path, locked.file);
		}
		throw new TailtuneError("busy", `${target}: ${MAX_PARTS} processes download it already`);
	}

	static #openUnlocked(target: string, path: string, file: number): PartFile {
		closeSync(file);
		rmSync(path, { force: true });
		const own = `${target}-${process.pid}.incomplete`;
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

	/** Bytes that are there. */
	get bytes(): number {
		return this.#bytes;
	}

	/** Drops all bytes. */
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

	/** Reads all bytes into a hash. */
	async hashInto(hash: NodeJS.WritableStream): Promise<void> {
		await pipeline(createReadStream(this.#path, { highWaterMark: 1 << 20 }), hash);
	}

	/** Puts the whole file in the place of `target`. @throws TailtuneError "disk" */
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

	/** Gives the file back; what has arrived stays for the next try. Called again it does nothing. */
	close(): void {
		if (this.#isOpen) closeSync(this.#file);
		this.#isOpen = false;
	}
}
