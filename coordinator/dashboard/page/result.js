import { bdi, byId, element, scrollable } from "./dom.js";
import { asCount, asLoss, asPercent } from "./format.js";

/** Shows the scores of a finished run. */
export function showResult({ end }) {
	const section = byId("result");
	section.hidden = end?.state !== "finished";
	if (section.hidden) return;
	const { result } = end;
	byId("scores").replaceChildren(headline(result), matrix(result));
}

function headline({ accuracy, intervals, texts, loss }) {
	const [low, high] = intervals.accuracy ?? [];
	const range = low === undefined ? "" : ` (95 % interval ${asPercent(low)} to ${asPercent(high)})`;
	return element(
		"p",
		{ class: "headline" },
		element("strong", {}, asPercent(accuracy.test)),
		element(
			"span",
			{},
			`of ${asCount(texts.test)} test texts are classified correctly${range}; mean loss ${asLoss(loss.test)}.`,
		),
	);
}

function matrix({ labels, confusion }) {
	if (confusion.length === 0) return "";
	const head = element("tr", {}, element("td"), ...labels.map((label) => element("th", { scope: "col" }, bdi(label))));
	const rows = confusion.map((counts, row) =>
		element("tr", {}, element("th", { scope: "row" }, bdi(labels[row])), ...cells(counts, row)),
	);
	const table = element("table", { class: labels.length > 6 ? "matrix dense" : "matrix" });
	table.append(element("caption", {}, "Confusion matrix"), element("thead", {}, head), element("tbody", {}, ...rows));
	const note = "Test texts by true class (rows) and predicted class (columns).";
	return element("div", {}, scrollable("Confusion matrix", table), element("p", { class: "note" }, note));
}

function cells(counts, row) {
	const sum = counts.reduce((total, count) => total + count, 0);
	return counts.map((count, column) => {
		const cell = element(
			"td",
			{ class: count === 0 ? "none" : column === row ? "right" : "wrong" },
			element("b", {}, asCount(count)),
		);
		cell.style.setProperty("--share", sum === 0 ? "0" : (count / sum).toFixed(3));
		return cell;
	});
}
