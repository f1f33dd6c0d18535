import { Writable } from "node:stream";

/** Keeps what is written. */
export class FakeStream extends Writable {
	readonly isTTY: boolean;
	columns: number;
	text = "";

	constructor(isTTY = false, columns = 100) {
		super({ decodeStrings: false });
		this.isTTY = isTTY;
		this.columns = columns;
	}

	override _write(chunk: string, _encoding: string, written: () => void): void {
		this.text += chunk;
		written();
	}

	/** Whole lines, without colours and what moves the cursor. */
	get lines(): string[] {
		return this.text.split("\n").slice(0, -1);
	}
}
