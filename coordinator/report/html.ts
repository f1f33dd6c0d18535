/** Markup that is safe to put into a page. Made by `html` alone. */
export class Html {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}
}

/** What may stand between the markup: text gets escaped, markup stays, lists are joined, `undefined` and `false` are nothing. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/** Tag of markup: everything put in is escaped, in content and in quoted attributes, unless it is markup itself. */
export function html(markup: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
	return new Html(String.raw({ raw: markup }, ...values.map(render)));
}

/** Data for a script to read: `<script type="application/json">` whose content can't end it. */
export function jsonScript(id: string, data: unknown): Html {
	return html`<script type="application/json" id="${id}">${new Html(scriptJson(data))}</script>`;
}

function scriptJson(data: unknown): string {
	return JSON.stringify(data).replaceAll("<", "\\u003c");
}

function render(value: HtmlValue): string {
	if (value === undefined || value === false) return "";
	if (value instanceof Html) return value.text;
	if (typeof value === "object") return value.map(render).join("");
	return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
