import { bdi, byId, element, setChildren } from "./dom.js";

/**
 * Shows a sweep: ranking, curves and trials. Only the sections that have changed are replaced, so that the others keep
 * their focus and their scroll position.
 * @param answer of the server; its markup is made by the code of the report, which escapes texts
 */
export function showSweep({ title, html }) {
	const root = byId("sweep");
	root.hidden = false;
	document.title = `${title}: Tailtune`;
	const before = [...root.children];
	const sections = [...new DOMParser().parseFromString(html, "text/html").body.children].map(
		(section) => before.find((one) => one.outerHTML === section.outerHTML) ?? section,
	);
	setChildren(root, sections);
}

/** Shows why the sweep can't be read now. */
export function showSweepProblem({ message }) {
	byId("sweep").hidden = false;
	byId("sweep").replaceChildren(element("p", { class: "problem" }, bdi(message)));
}
