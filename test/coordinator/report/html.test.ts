import test from "ava";
import fc from "fast-check";
import { html, jsonScript } from "../../../coordinator/report/html.ts";

test("text is escaped, markup is kept, lists are joined, undefined and false give nothing", (t) => {
	const item = (text: string) => html`<li title="${text}">${text}</li>`;
	t.is(
		html`<ul>${["<", "'\"&"].map(item)}${undefined}${false}${0}</ul>`.text,
		'<ul><li title="&#60;">&#60;</li><li title="&#39;&#34;&#38;">&#39;&#34;&#38;</li>0</ul>',
	);
});

test("no text becomes markup, in content or in attributes", (t) => {
	fc.assert(
		fc.property(fc.string({ unit: fc.constantFrom("<", ">", '"', "'", "&", "/", "a", "`", "$", "{") }), (text) => {
			t.notRegex(html`${text}`.text, /[<>"']/);
		}),
	);
	t.pass();
});

test("data for a script is the same when read back and never closes the script's tag", (t) => {
	fc.assert(
		fc.property(fc.jsonValue(), fc.constantFrom("</script><b>", "<!--<script>", "]]>"), (value, label) => {
			const text = jsonScript("x", { value, label }).text;
			const json = text.slice(text.indexOf(">") + 1, text.lastIndexOf("</script>"));
			t.false(json.includes("<"));
			t.is(JSON.stringify(JSON.parse(json)), JSON.stringify({ value, label }));
		}),
	);
	t.pass();
});
