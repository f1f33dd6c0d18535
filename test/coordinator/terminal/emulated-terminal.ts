import { once } from "node:events";
import { Writable } from "node:stream";
import xterm from "@xterm/headless";

/** A stream that draws on the screen of a terminal emulator, which wraps lines again if its size changes. */
export class EmulatedTerminal extends Writable {
	readonly isTTY = true;
	columns: number;
	rows: number;
	readonly #terminal: xterm.Terminal;

	/** @param wrapsAll whether the line with the cursor is wrapped again too: some terminals do this, others don't */
	constructor(columns: number, rows: number, wrapsAll = true) {
		super({ decodeStrings: false });
		this.columns = columns;
		this.rows = rows;
		const size = { cols: columns, rows, scrollback: 10_000 };
		this.#terminal = new xterm.Terminal({
			...size,
			convertEol: true,
			reflowCursorLine: wrapsAll,
			allowProposedApi: true,
		});
	}

	override _write(chunk: string | Uint8Array, _encoding: string, written: () => void): void {
		this.#terminal.write(chunk, () => {
			this.emit("drawn");
			written();
		});
	}

	/** Waits until the lines are as wanted. */
	async until(isWanted: (lines: readonly string[]) => boolean): Promise<void> {
		while (!isWanted(this.lines)) await once(this, "drawn");
	}

	/** Waits for the title that a program sets by an escape sequence. */
	titled(title: string): Promise<void> {
		return new Promise((resolve) => {
			const listener = this.#terminal.onTitleChange((own) => {
				if (own !== title) return;
				listener.dispose();
				resolve();
			});
		});
	}

	/** Changes the size when all output is on the screen. */
	async resize(columns: number, rows: number): Promise<void> {
		await this.drawn();
		this.#terminal.resize(columns, rows);
		this.columns = columns;
		this.rows = rows;
		this.emit("resize");
	}

	/** Waits until all output is on the screen. */
	drawn(): Promise<void> {
		return new Promise((resolve) => this.write("", () => resolve()));
	}

	/** Lines on the screen and above it; a wrapped line is one. */
	get lines(): string[] {
		const { active } = this.#terminal.buffer;
		const lines: string[] = [];
		for (let row = 0; row < active.length; row++) {
			const line = active.getLine(row);
			const text = line?.translateToString(false) ?? "";
			if (line?.isWrapped && lines.length > 0) lines.push(`${lines.pop()}${text}`);
			else lines.push(text);
		}
		return lines
			.map((line) => line.trimEnd())
			.join("\n")
			.trimEnd()
			.split("\n");
	}
}
