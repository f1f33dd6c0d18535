import { shortLabel } from "./short-label.js";

const SVG = "http://www.w3.org/2000/svg";

/** Creates an HTML element. Texts become text, never markup. */
export function element(tag, properties = {}, ...children) {
	return fill(document.createElement(tag), properties, children);
}

/** Creates an SVG element. */
export function svg(tag, properties = {}, ...children) {
	return fill(document.createElementNS(SVG, tag), properties, children);
}

/** Wraps something wide, which can then be scrolled, also by keys. */
export function scrollable(label, content) {
	return element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": label }, content);
}

/**
 * Creates a table in a box that scrolls.
 * @param label of the box
 * @param heads of the columns
 * @param rows elements
 */
export function table(label, heads, rows, properties = {}) {
	const head = element("tr", {}, ...heads.map((content) => element("th", { scope: "col" }, content)));
	const parts = [element("thead", {}, head), element("tbody", {}, ...rows)];
	return scrollable(label, element("table", properties, ...parts));
}

/** Returns the element of the page with this id. */
export function byId(id) {
	return document.getElementById(id);
}

/** Sets the text of an element, but only if it differs: screen readers announce what is set. */
export function setText(target, text) {
	if (target.textContent !== text) target.textContent = text;
}

/** Makes these the children of an element. One that is inserted again, even at its place, would lose the focus. */
export function setChildren(target, children) {
	for (const one of [...target.children]) if (!children.includes(one)) one.remove();
	for (const [i, child] of children.entries())
		if (target.children[i] !== child) target.insertBefore(child, target.children[i] ?? null);
}

/** A text that may be written from right to left, apart from the text around it. */
export function bdi(text) {
	return element("bdi", {}, text);
}

/** A label, cut if it is long; then a pointer shows all of it. */
export function labelText(label) {
	const shown = shortLabel(label);
	return element("bdi", { title: shown !== label && label }, shown);
}

function fill(target, properties, children) {
	for (const [name, value] of Object.entries(properties)) {
		if (value === undefined || value === false) continue;
		if (name.startsWith("on")) target.addEventListener(name.slice(2), value);
		else target.setAttribute(name, value === true ? "" : String(value));
	}
	target.append(...children.flat().filter((child) => child != null && child !== false));
	return target;
}
