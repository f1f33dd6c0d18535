import { bdi, byId, element, scrollable, table } from "./dom.js";
import { formatCount, formatLoss, formatPercent } from "./format-numbers.js";
import { keepChoice, readChoice } from "./page-state.js";

/**
 * Shows the scores of a finished run.
 * @param ask asks the server for JSON
 */
export function showResult({ end }, ask) {
	const section = byId("result");
	section.hidden = end?.state !== "finished";
	if (section.hidden) return;
	const { result } = end;
	const texts = element("div", { id: "texts", role: "region", "aria-live": "polite", "aria-label": "Texts of a cell" });
	const openCell = (row, column) => {
		keepChoice("cell", `${row}-${column}`);
		for (const button of section.querySelectorAll("td button"))
			button.setAttribute("aria-pressed", String(button.dataset.cell === `${row}-${column}`));
		void showTexts(texts, ask, result.labels[row], result.labels[column]);
	};
	byId("scores").replaceChildren(headline(result), matrix(result, openCell), texts);
	const [row, column] = (readChoice("cell") ?? "").split("-").map(Number);
	if (result.confusion[row]?.[column] > 0) openCell(row, column);
}

function headline({ accuracy, intervals, texts, loss }) {
	const [low, high] = intervals.accuracy ?? [];
	const range = low === undefined ? "" : ` (95 % interval ${formatPercent(low)} to ${formatPercent(high)})`;
	const sentence = `of ${formatCount(texts.test)} test texts are classified correctly${range}; mean loss ${formatLoss(loss.test)}.`;
	return element(
		"p",
		{ class: "headline" },
		element("strong", {}, formatPercent(accuracy.test)),
		element("span", {}, sentence),
	);
}

function matrix({ labels, confusion }, openCell) {
	if (confusion.length === 0) return "";
	const head = element("tr", {}, element("td"), ...labels.map((label) => element("th", { scope: "col" }, bdi(label))));
	const rows = confusion.map((counts, row) =>
		element("tr", {}, element("th", { scope: "row" }, bdi(labels[row])), ...cells(counts, row, labels, openCell)),
	);
	const whole = element("table", { class: labels.length > 6 ? "matrix dense" : "matrix" });
	whole.append(element("caption", {}, "Confusion matrix"), element("thead", {}, head), element("tbody", {}, ...rows));
	const note = "Test texts by true class (rows) and predicted class (columns). A cell opens its texts.";
	return element("div", {}, scrollable("Confusion matrix", whole), element("p", { class: "note" }, note));
}

function cells(counts, row, labels, openCell) {
	const sum = counts.reduce((total, count) => total + count, 0);
	return counts.map((count, column) => {
		const kind = count === 0 ? "none" : column === row ? "right" : "wrong";
		const label = `${count} texts of ${labels[row]}, predicted ${labels[column]}`;
		const open = () => openCell(row, column);
		const properties = {
			type: "button",
			"aria-label": label,
			"aria-pressed": "false",
			"data-cell": `${row}-${column}`,
			onclick: open,
		};
		const cell = element("td", { class: kind }, count === 0 ? "0" : element("button", properties, formatCount(count)));
		cell.style.setProperty("--share", sum === 0 ? "0" : (count / sum).toFixed(3));
		return cell;
	});
}

async function showTexts(root, ask, label, predicted) {
	const { answer } = await ask("/texts", { label, predicted });
	if (!answer) return;
	const rows = answer.texts.map(({ source, probability, text }) =>
		element(
			"tr",
			{},
			element("td", {}, formatPercent(probability)),
			element("td", { class: "text" }, text !== null && bdi(text), element("small", {}, bdi(source))),
		),
	);
	const shown = answer.count > rows.length ? `, the ${rows.length} most confident ones` : "";
	const title = element(
		"h3",
		{},
		bdi(label),
		" predicted as ",
		bdi(predicted),
		`: ${formatCount(answer.count)} texts${shown}`,
	);
	root.replaceChildren(title, table("Texts", ["probability", "text and source"], rows, { class: "texts" }));
}
