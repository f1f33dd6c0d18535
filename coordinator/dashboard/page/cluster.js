import { bdi, byId, element, setText, table } from "./dom.js";
import { formatCount, formatEta, formatLoss, formatPercent, formatProgress, formatRate } from "./format-numbers.js";
import { STATES, shortenWorker } from "./workers.js";

/** The elements of each run that is shown, by its id. */
const cards = new Map();

/**
 * Shows the runs of a cluster: progress, speed, workers.
 * @param stop called with the id of a run that is to be stopped
 */
export function showCluster({ runs, idle, problems }, stop) {
	byId("cluster").hidden = false;
	const notes = [
		...problems.map(({ text, advice }) => element("p", { class: "problem" }, bdi(text), " ", advice)),
		runs.length === 0 && problems.length === 0 && element("p", { class: "note" }, "No run is announced."),
	];
	byId("cluster-notes").replaceChildren(...notes.filter(Boolean));
	const ids = new Set(runs.map(({ id }) => id));
	for (const [id, card] of cards) {
		if (ids.has(id)) continue;
		card.root.remove();
		cards.delete(id);
	}
	for (const run of runs) {
		const card = cards.get(run.id) ?? createCard(run.id, stop);
		cards.set(run.id, card);
		showRun(card, run);
	}
	const names = idle.flatMap(({ id, device }, i) => [i > 0 && ", ", bdi(`${shortenWorker(id)} (${device})`)]);
	byId("cluster-idle").replaceChildren(
		...(idle.length > 0 ? ["Workers without a run: ", ...names] : []).filter(Boolean),
	);
}

/** Shows why the cluster can't be read now. */
export function showClusterProblem({ message }) {
	byId("cluster").hidden = false;
	byId("cluster-notes").replaceChildren(element("p", { class: "problem" }, bdi(message)));
}

/** The button stays the same element while its run is shown, so that it keeps the focus. */
function createCard(id, stop) {
	const [title, lead, body] = [element("h3"), element("p", { class: "note" }), element("div")];
	const button = element("button", { type: "button", onclick: () => stop(id, button) }, "Stop the run");
	const root = element("article", { "data-run": id }, element("div", { class: "row" }, title, button), lead, body);
	byId("cluster-runs").append(root);
	return { root, title, lead, body, shown: "" };
}

function showRun(card, run) {
	const key = JSON.stringify(run);
	if (card.shown === key) return;
	card.shown = key;
	const { id, progress, workers } = run;
	setText(card.title, progress?.name || id);
	if (!progress) {
		setText(card.lead, "There is no report from the run's coordinator.");
		card.body.replaceChildren();
		return;
	}
	const { model, data, host, folder, startedAtMs, notices } = progress;
	const started = new Date(startedAtMs).toLocaleString();
	setText(card.lead, `${model} tuned on ${data}, started ${started}, folder ${folder} on ${host}`);
	card.body.replaceChildren(
		...notices.map((text) => element("p", { class: "problem" }, bdi(text))),
		...phase(progress),
		workers.length === 0 ? element("p", { class: "note" }, "No worker has joined yet.") : workersTable(workers),
	);
}

function phase({ phase: name, done, total, unit, secondsLeft, epoch, epochs, validation }) {
	const count = unit === "" ? "" : formatProgress(done, total, unit);
	const speed = secondsLeft > 0 ? `, ${formatRate((total - done) / secondsLeft)} per second` : "";
	const left = secondsLeft > 0 ? `, ${formatEta(secondsLeft)}` : "";
	const score = validation
		? `, validation accuracy ${formatPercent(validation.accuracy)}, loss ${formatLoss(validation.loss)}`
		: "";
	return [
		element("p", { class: "row phase" }, element("strong", {}, bdi(name)), element("span", {}, count + speed + left)),
		element("progress", { max: 1, value: total > 0 ? done / total : undefined, "aria-label": name }),
		element("p", { class: "note" }, `${formatCount(epoch)} of ${formatCount(epochs)} epochs${score}`),
	];
}

function workersTable(workers) {
	const heads = ["worker", "state", "shards", "speed", "texts"];
	const rows = workers.map(({ id, device, state, shards, speed, texts }) =>
		element(
			"tr",
			{},
			element("th", { scope: "row" }, bdi(shortenWorker(id)), device && element("small", {}, bdi(device))),
			element("td", { "data-state": state ?? "" }, STATES[state] ?? "–"),
			element("td", {}, shards.length === 0 ? "–" : shards.join(", ")),
			element("td", {}, speed === null ? "–" : `${speed.toFixed(2)} ×`),
			element("td", {}, texts === null ? "–" : formatCount(texts)),
		),
	);
	return table("Workers of the run", heads, rows, { class: "cluster-workers" });
}
