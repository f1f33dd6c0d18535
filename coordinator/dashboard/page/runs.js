import { bdi, byId, element, table } from "./dom.js";
import { formatCount, formatScore, formatSeconds } from "./format-numbers.js";

/** Shows why the runs can't be listed. */
export function showRunsProblem({ message }) {
	byId("runs").hidden = false;
	byId("runs").replaceChildren(element("p", { class: "problem" }, bdi(message)));
}

/** Shows the list of runs; two of them can be chosen for a comparison. */
export function showRuns({ folder, runs, sweeps }) {
	const root = byId("runs");
	root.hidden = false;
	document.title = `${folder}: Tailtune`;
	const title = [element("p", { class: "eyebrow" }, "Tailtune runs"), element("h1", {}, bdi(folder))];
	if (sweeps.length > 0)
		title.push(table("Sweeps", ["sweep", "trials that have ended"], sweeps.map(sweepRow), { class: "sweeps" }));
	if (runs.length === 0) {
		root.replaceChildren(...title, element("p", { class: "note" }, "No runs in this folder."));
		return;
	}
	const compare = element("button", { type: "button", disabled: true }, "Compare two runs");
	const chosen = () => [...root.querySelectorAll("[type=checkbox]:checked")].map(({ value }) => value);
	root.addEventListener("change", () => {
		compare.disabled = chosen().length !== 2;
	});
	compare.addEventListener("click", () => {
		const [run, other] = chosen();
		location.search = new URLSearchParams({ run, with: other });
	});
	const names = ["compare", "run", "state", "validation", "epoch", "time", "model", "data"];
	const list = table("Runs", names, runs.toReversed().map(row), { class: "runs" });
	root.replaceChildren(...title, list, element("p", { class: "row note" }, compare));
}

function sweepRow({ name, trials, ended, problem }) {
	const link = element("a", { href: `?${new URLSearchParams({ sweep: name })}` }, bdi(name));
	const state = problem ?? `${formatCount(ended)} of ${formatCount(trials)}`;
	const cell = element("td", { class: "state" }, bdi(state));
	return element("tr", {}, element("th", { scope: "row" }, problem ? bdi(name) : link), cell);
}

function row({ folder, name, state, problem, metric, metricName, validation, epoch, seconds, model, data }) {
	const box = element("input", {
		type: "checkbox",
		value: folder,
		"aria-label": `compare ${folder}`,
		disabled: state !== "finished",
	});
	const link = element("a", { href: `?${new URLSearchParams({ run: folder })}` }, bdi(name ?? folder));
	const score = validation === null ? "–" : formatScore(metric, validation);
	const cells = [
		problem ?? state,
		metric === null ? score : `${score} (${metricName})`,
		epoch ?? "–",
		seconds === null ? "–" : formatSeconds(seconds),
		model ?? "–",
		data ?? "–",
	];
	const first = state === "damaged" ? bdi(folder) : link;
	return element(
		"tr",
		{},
		element("td", {}, box),
		element("th", { scope: "row" }, first),
		...cells.map((cell, i) => element("td", { class: i === 0 && "state" }, bdi(String(cell)))),
	);
}
