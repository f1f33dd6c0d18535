import { isDeepStrictEqual, stripVTControlCharacters } from "node:util";
import type { TerminalStream } from "./terminal-stream.ts";

const DEFAULT_COLUMNS = 80;

/** Returns the lines to show in a terminal with this number of columns. Longer ones are cut. */
export type FormatLines = (columns: number) => readonly string[];

/**
 * Shows lines that replace the ones shown before, at the bottom of a terminal. If its size changes, they are drawn
 * again. In other streams they are added. The cursor stays visible and the settings of the terminal as they are, so
 * nothing has to be restored after a crash.
 */
export class LiveLines {
	readonly #stream: TerminalStream;
	readonly #canMove: boolean;
	readonly #canWrap: boolean;
	#format: FormatLines = () => [];
	#shown: readonly string[] = [];
	#drawnColumns = 0;

	constructor(stream: TerminalStream, env: NodeJS.ProcessEnv = process.env) {
		this.#stream = stream;
		this.#canMove = stream.isTTY === true && env.TERM !== "dumb";
		this.#canWrap = wrapsShownLines(env);
		if (this.#canMove) stream.on("resize", () => this.#draw(""));
	}

	/** Replaces the lines. @param above whole lines that stay, written before them; default: none */
	show(format: FormatLines, above = ""): void {
		this.#format = format;
		this.#draw(above);
	}

	#draw(above: string): void {
		if (this.#canMove) this.#stream._refreshSize?.();
		const columns = this.#columns;
		const lines = this.#format(columns - 1);
		const shown = this.#canMove ? this.#fit(lines) : lines;
		const isSame = columns === this.#drawnColumns && isDeepStrictEqual(shown, this.#shown);
		if (this.#canMove && isSame && above === "") return;
		const text = shown.map((line) => `${line}\n`).join("");
		this.#stream.write(`${this.#clear()}${above}${text}`);
		if (!this.#canMove) return;
		this.#shown = shown;
		this.#drawnColumns = columns;
	}

	/** Returns the codes that remove the lines. A terminal that was made narrower since has wrapped them. */
	#clear(): string {
		if (this.#shown.length === 0) return "";
		const rowsOf = (line: string) => (this.#canWrap ? countRows(line, this.#columns) : 1);
		const rows = this.#shown.reduce((sum, line) => sum + rowsOf(line), 0);
		return `\u001b[${Math.min(rows, this.#rows - 1)}A\r\u001b[0J`;
	}

	/** Cuts the lines to the size of the terminal: it can't move the cursor to lines that have left the screen. */
	#fit(lines: readonly string[]): string[] {
		const most = Math.max(1, this.#rows - 1);
		const shown = lines.length <= most ? lines : [...lines.slice(0, 3), "...", ...lines.slice(4 - most)].slice(-most);
		return shown.map((line) => cutLine(line, this.#columns - 1));
	}

	get #columns(): number {
		return Math.max(2, this.#stream.columns || DEFAULT_COLUMNS);
	}

	get #rows(): number {
		return this.#stream.rows || Number.POSITIVE_INFINITY;
	}
}

/** Whether a terminal wraps the lines that it shows when it is made narrower. These few cut them instead. */
function wrapsShownLines({ TERM = "", TMUX, XTERM_VERSION }: NodeJS.ProcessEnv): boolean {
	return TMUX !== undefined || (XTERM_VERSION === undefined && !/^(linux|screen)/.test(TERM));
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

/** Counts the rows of a wrapped line. A character of two columns begins a new row if only one column is left. */
function countRows(line: string, columns: number): number {
	let rows = 1;
	let used = 0;
	for (const width of widthsOf(line)) {
		if (used + width > columns) {
			rows++;
			used = 0;
		}
		used += width;
	}
	return rows;
}

function columnsOf(text: string): number {
	return widthsOf(text).reduce((sum, width) => sum + width, 0);
}

/**
 * Returns the columns of each character of a text without its colours. Characters outside European scripts and symbols
 * may take two.
 */
function widthsOf(text: string): number[] {
	return [...stripVTControlCharacters(text)].map((character) => {
		const code = character.codePointAt(0) ?? 0;
		return code >= 0x1100 && (code < 0x2000 || code > 0x2bff) ? 2 : 1;
	});
}
