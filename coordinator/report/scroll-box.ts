import { type Html, html } from "./html.ts";

/**
 * Renders a box in which a wide or long table is scrolled, also by keyboard.
 * @param name of the content, for screen readers
 * @param isLong whether the box has a limited height; default false
 */
export function scrollBox(name: string, content: Html, { isLong = false } = {}): Html {
	return html`<div class="scroll${isLong && " long"}" tabindex="0" role="region" aria-label="${name}">${content}</div>`;
}
