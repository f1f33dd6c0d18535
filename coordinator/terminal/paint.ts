import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "yellow" | "green" | "cyan";

/** Colours a text, or doesn't. */
export type Paint = (style: Style, text: string) => string;

/** Colours on a terminal, unless NO_COLOR (no-color.org) or TERM=dumb says otherwise. */
export function createPaint(isTTY: boolean, env: NodeJS.ProcessEnv): Paint {
	if (!isTTY || env.NO_COLOR || env.TERM === "dumb") return (_, text) => text;
	return (style, text) => styleText(style, text, { validateStream: false });
}
