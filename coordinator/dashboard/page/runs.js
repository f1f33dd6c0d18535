import { bdi, byId, element, setChildren, setText, table } from "./dom.js";
import { formatCount, formatScore, formatSeconds } from "./format-numbers.js";

const RUN_COLUMNS = ["compare", "run", "state", "validation", "epoch", "time", "model", "data"];

/** Elements of the list; made when it is shown for the first time, and kept, so that they keep focus and choice. */
let parts;
/** Rows by the folders of runs and the names of sweeps. */
const [runRows, sweepRows] = [new Map(), new Map()];

/** Shows why the runs can't be listed now. Those that were listed stay. */
export function showRunsProblem({ message }) {
	const { problem } = partsOf(byId("runs"));
	problem.hidden = false;
	setText(problem, message);
}

/** Shows the list of runs; two of them can be chosen for a comparison. */
export function showRuns({ folder, runs, sweeps }) {
	const { title, problem, sweepTable, runTable, none, compareLine, checkChoice } = partsOf(byId("runs"));
	document.title = `${folder}: Tailtune`;
	setText(title, folder);
	problem.hidden = true;
	showRows(sweepTable, sweepRows, sweeps, ({ name }) => name, { create: createSweepRow, show: showSweepRow });
	showRows(runTable, runRows, runs.toReversed(), (run) => run.folder, { create: createRunRow, show: showRunRow });
	none.hidden = runs.length > 0;
	compareLine.hidden = runs.length === 0;
	checkChoice();
}

function partsOf(root) {
	root.hidden = false;
	parts ??= createParts(root);
	return parts;
}

function createParts(root) {
	const title = element("bdi");
	const problem = element("bdi", { class: "problem", role: "status", hidden: true });
	const sweepTable = table("Sweeps", ["sweep", "trials that have ended"], [], { class: "sweeps" });
	const runTable = table("Runs", RUN_COLUMNS, [], { class: "runs" });
	const none = element("p", { class: "note", hidden: true }, "No runs in this folder.");
	const compare = element("button", { type: "button", disabled: true }, "Compare two runs");
	const compareLine = element("p", { class: "row note" }, compare);
	const chosen = () => [...root.querySelectorAll("[type=checkbox]:checked")].map(({ value }) => value);
	const checkChoice = () => {
		compare.disabled = chosen().length !== 2;
	};
	root.addEventListener("change", checkChoice);
	compare.addEventListener("click", () => {
		const [run, other] = chosen();
		location.search = new URLSearchParams({ run, with: other });
	});
	const head = [element("p", { class: "eyebrow" }, "Tailtune runs"), element("h1", {}, title), problem];
	root.replaceChildren(...head, sweepTable, runTable, none, compareLine);
	return { title, problem, sweepTable, runTable, none, compareLine, checkChoice };
}

/** Shows one row per item. @param rows by key: those that are shown now */
function showRows(box, rows, items, keyOf, { create, show }) {
	box.hidden = items.length === 0;
	const keys = new Set(items.map(keyOf));
	for (const key of rows.keys()) if (!keys.has(key)) rows.delete(key);
	const roots = items.map((item) => {
		const row = rows.get(keyOf(item)) ?? create(item);
		rows.set(keyOf(item), row);
		show(row, item);
		return row.root;
	});
	setChildren(box.querySelector("tbody"), roots);
}

function createSweepRow({ name }) {
	const link = element("a", {}, bdi(name));
	const state = element("bdi");
	const cell = element("td", { class: "state" }, state);
	return { root: element("tr", {}, element("th", { scope: "row" }, link), cell), link, state };
}

function showSweepRow({ link, state }, { name, trials, ended, problem }) {
	setLink(link, problem === undefined && { sweep: name });
	setText(state, problem ?? `${formatCount(ended)} of ${formatCount(trials)}`);
}

function createRunRow({ folder }) {
	const box = element("input", { type: "checkbox", value: folder, "aria-label": `compare ${folder}` });
	const name = element("bdi");
	const link = element("a", {}, name);
	const texts = RUN_COLUMNS.slice(2).map(() => element("bdi"));
	const cells = texts.map((text, i) => element("td", { class: i === 0 && "state" }, text));
	const head = [element("td", {}, box), element("th", { scope: "row" }, link)];
	return { root: element("tr", {}, ...head, ...cells), box, name, link, texts };
}

function showRunRow({ box, name, link, texts }, run) {
	const { folder, state, problem, metric, metricName, validation, epoch, seconds, model, data } = run;
	box.disabled = state !== "finished";
	if (box.disabled) box.checked = false;
	setLink(link, state !== "damaged" && { run: folder });
	setText(name, state === "damaged" ? folder : (run.name ?? folder));
	const score = validation === null ? "–" : formatScore(metric, validation);
	const values = [
		problem ?? state,
		metric === null ? score : `${score} (${metricName})`,
		epoch ?? "–",
		seconds === null ? "–" : formatSeconds(seconds),
		model ?? "–",
		data ?? "–",
	];
	for (const [i, text] of texts.entries()) setText(text, String(values[i]));
}

/** Sets where a link leads, or makes it a text that can't be opened. */
function setLink(link, parameters) {
	const href = parameters && `?${new URLSearchParams(parameters)}`;
	if (!href) link.removeAttribute("href");
	else if (link.getAttribute("href") !== href) link.setAttribute("href", href);
}
