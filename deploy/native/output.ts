import { PROGRESS_LINE_MS } from "../../shared/deadlines.ts";
import type { DownloadListener } from "../../shared/files/download.ts";
import { printable } from "../../shared/printable.ts";

/** Prints plain lines about an installation. */
export class Output implements DownloadListener {
	readonly #stream: NodeJS.WritableStream;
	readonly #now: () => number;

	/** @param now milliseconds that never go back */
	constructor(stream: NodeJS.WritableStream = process.stdout, now: () => number = () => performance.now()) {
		this.#stream = stream;
		this.#now = now;
	}

	line(text: string): void {
		this.#stream.write(`${printable(text)}\n`);
	}

	/**
	 * Prints the progress of a download every few seconds.
	 * @returns a function to call with the bytes done and the total bytes
	 */
	download(name: string): (doneBytes: number, totalBytes: number) => void {
		let writtenMs = this.#now();
		return (doneBytes, totalBytes) => {
			if (this.#now() - writtenMs < PROGRESS_LINE_MS) return;
			writtenMs = this.#now();
			this.line(`${name}: ${Math.floor((100 * doneBytes) / totalBytes)} %`);
		};
	}
}
