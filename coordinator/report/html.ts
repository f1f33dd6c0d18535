/** Markup that is safe to put into a page. Created only by `html`. */
export class Html {
	readonly text: string;

	constructor(text: string) {
		this.text = text;
	}
}

/** A value inside markup: text is escaped, markup is kept, lists are joined, `undefined` and `false` give nothing. */
export type HtmlValue = string | number | Html | undefined | false | readonly HtmlValue[];

/** Template tag for markup: escapes every value, in content and in quoted attributes, unless it is markup itself. */
export function html(markup: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
	return new Html(String.raw({ raw: markup }, ...values.map(render)));
}

/** Embeds data for a script: a `<script type="application/json">` whose content can't close the tag. */
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
