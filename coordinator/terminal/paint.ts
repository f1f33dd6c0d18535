import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

/** Returns the text with a style, or unchanged if colours are off. */
export type Paint = (style: Style, text: string) => string;

/**
 * Creates a `Paint`. It colours if the output is a terminal, NO_COLOR (no-color.org) is unset and TERM is not "dumb".
 */
export function createPaint(isTTY: boolean, env: NodeJS.ProcessEnv): Paint {
	if (!isTTY || env.NO_COLOR || env.TERM === "dumb") return (_, text) => text;
	return (style, text) => styleText(style, text, { validateStream: false });
}
