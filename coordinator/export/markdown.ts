import { shortLabel } from "../short-label.js";

/** Returns text from data as Markdown on one line that shows it as it is, and cut if it is long. */
export function escapeMarkdown(text: string): string {
	return shortLabel(text.replaceAll(/\s+/g, " ")).replaceAll(/[\\`*_{}[\]<>|#~&]/g, "\\$&");
}

/** Formats a table. Cells are Markdown. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [head, head.map(() => "---"), ...rows];
	return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
