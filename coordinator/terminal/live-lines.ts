import { clearScreenDown, moveCursor } from "node:readline";
import type { TerminalStream } from "./human-terminal.ts";

/**
 * Shows lines that replace the ones shown before, at the bottom of a terminal. In other streams they are added. The
 * cursor and the settings of the terminal stay as they are, so nothing has to be restored after a crash.
 */
export class LiveLines {
	readonly #stream: TerminalStream & { readonly rows?: number };
	readonly #canMove: boolean;
	#shown: readonly string[] = [];

	constructor(stream: TerminalStream & { readonly rows?: number }, env: NodeJS.ProcessEnv = process.env) {
		this.#stream = stream;
		this.#canMove = stream.isTTY === true && env.TERM !== "dumb";
	}

	show(lines: readonly string[]): void {
		if (!this.#canMove) {
			this.#stream.write(`${lines.join("\n")}\n`);
			return;
		}
		this.#clear();
		this.#shown = this.#fit(lines);
		this.#stream.write(`${this.#shown.join("\n")}\n`);
	}

	/** Removes the lines. A terminal that was made narrower since has wrapped them. */
	#clear(): void {
		if (this.#shown.length === 0) return;
		const rows = this.#shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(columnsOf(line) / this.#columns)), 0);
		moveCursor(this.#stream, 0, -Math.min(rows, (this.#stream.rows ?? Number.POSITIVE_INFINITY) - 1));
		this.#stream.write("\r");
		clearScreenDown(this.#stream);
	}

	/** Cuts the lines to the size of the terminal: it can't move the cursor to lines that have left the screen. */
	#fit(lines: readonly string[]): string[] {
		const most = Math.max(1, (this.#stream.rows ?? Number.POSITIVE_INFINITY) - 1);
		const shown = lines.length <= most ? lines : [...lines.slice(0, 3), "...", ...lines.slice(4 - most)].slice(-most);
		return shown.map((line) => cutLine(line, this.#columns - 1));
	}

	get #columns(): number {
		return Math.max(2, this.#stream.columns ?? 80);
	}
}

function cutLine(line: string, columns: number): string {
	if (columnsOf(line) <= columns) return line;
	let cut = "";
	for (const character of line) {
		if (columnsOf(cut + character) >= columns) break;
		cut += character;
	}
	return `${cut}…`;
}

/** Columns of a text; characters outside European scripts and symbols may take two. */
function columnsOf(text: string): number {
	let columns = 0;
	for (const character of text) {
		const code = character.codePointAt(0) ?? 0;
		columns += code >= 0x1100 && (code < 0x2000 || code > 0x2bff) ? 2 : 1;
	}
	return columns;
}
