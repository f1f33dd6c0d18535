import { CurveChart } from "./curve-chart.js";
import { bdi, byId, element, table } from "./dom.js";
import { CURVE_FORMATS, formatCount, formatLoss, formatPercent, formatSeconds, formatShare } from "./format-numbers.js";
import { nextState } from "./next-state.js";

/**
 * Shows two runs side by side: settings that differ, scores, curves, and the texts that only one got right.
 * @param states of both runs, as the server sends them
 * @param names of both runs: their folders in the list of runs, since those of two sweeps may end alike
 */
export function showComparison({ settings, runs, pairs }, states, names) {
	const root = byId("comparison");
	document.title = `${names.join(" and ")}: Tailtune`;
	root.replaceChildren(
		element("p", { class: "eyebrow" }, "Tailtune comparison"),
		element("h1", {}, bdi(names[0]), " and ", bdi(names[1])),
		section("Settings that differ", settingsTable(settings, names)),
		section("Scores on the test set", scoresTable(runs, names)),
		section("Curves", charts(states, names)),
		section("Test texts", pairTable(pairs[0], names)),
	);
	for (const chart of root.querySelectorAll("[data-chart]")) {
		const { curves } = nextState({ curves: {} }, "state", states[Number(chart.dataset.run)]);
		new CurveChart(chart, CURVE_FORMATS).draw(curves);
	}
}

function section(title, content) {
	return element("section", {}, element("h2", {}, title), content);
}

function namedRows(label, heads, rows) {
	const body = rows.map(([name, ...cells]) =>
		element(
			"tr",
			{},
			element("th", { scope: "row" }, name),
			...cells.map((cell) => element("td", {}, Array.isArray(cell) ? cell : bdi(String(cell)))),
		),
	);
	return table(label, heads.map(bdi), body);
}

function settingsTable(settings, names) {
	if (settings.length === 0) return element("p", {}, "The settings are the same.");
	const rows = settings.map(({ name, values }) => [name, ...values.map(formatSetting)]);
	return namedRows("Settings that differ", ["setting", ...names], rows);
}

function formatSetting(value) {
	if (value === null) return "–";
	return typeof value === "string" ? value : JSON.stringify(value);
}

function scoresTable(runs, names) {
	const withInterval = (share, interval) => [
		formatShare(share),
		interval && element("small", {}, `${formatPercent(interval[0])} to ${formatPercent(interval[1])}`),
	];
	const rows = [
		["accuracy", ...runs.map(({ accuracy, intervals }) => withInterval(accuracy, intervals.accuracy))],
		["macro F1", ...runs.map(({ macroF1, intervals }) => withInterval(macroF1, intervals.macroF1))],
		["loss", ...runs.map(({ loss }) => formatLoss(loss))],
		["time", ...runs.map(({ seconds }) => formatSeconds(seconds))],
	];
	return namedRows("Scores", ["score", ...names], rows);
}

function charts(states, names) {
	const figure = (measure, i) =>
		element(
			"figure",
			{},
			element("figcaption", {}, measure === "loss" ? "Loss: " : "Accuracy: ", bdi(names[i])),
			element("div", { "data-chart": measure, "data-run": i }),
		);
	return element(
		"div",
		{ class: "columns" },
		...["loss", "accuracy"].flatMap((measure) => states.map((_, i) => figure(measure, i))),
	);
}

function pairTable({ shared, bothRight, onlyFirst, onlySecond, bothWrong, pValue }, [first, second]) {
	const rows = [
		["both right", formatCount(bothRight)],
		[bdi(`only ${first} right`), formatCount(onlyFirst)],
		[bdi(`only ${second} right`), formatCount(onlySecond)],
		["both wrong", formatCount(bothWrong)],
	];
	const chance = `By chance, counts at least as uneven come with probability ${pValue < 0.001 ? pValue.toExponential(1) : pValue.toFixed(3)} (exact McNemar test).`;
	const note = element("p", { class: "note" }, `${formatCount(shared)} test texts are in both runs. ${chance}`);
	return element("div", {}, namedRows("Test texts", ["prediction", "texts"], rows), note);
}
