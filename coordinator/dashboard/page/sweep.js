import { bdi, byId, element } from "./dom.js";

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
	for (const one of before) if (!sections.includes(one)) one.remove();
	// A section that is inserted again, even at the same place, loses its focus.
	for (const [i, section] of sections.entries())
		if (root.children[i] !== section) root.insertBefore(section, root.children[i] ?? null);
}

/** Shows why the sweep can't be read now. */
export function showSweepProblem({ message }) {
	byId("sweep").hidden = false;
	byId("sweep").replaceChildren(element("p", { class: "problem" }, bdi(message)));
}
