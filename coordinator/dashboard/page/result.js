import { bdi, byId, element, labelText, scrollable, table } from "./dom.js";
import { formatCount, formatLoss, formatPercent } from "./format-numbers.js";
import { keepChoice, readChoice } from "./page-state.js";
import { shortLabel } from "./short-label.js";

/** With more classes than this, columns have numbers instead of names. */
const MOST_NAMED = 6;
/** With more classes than this, there is no matrix: it would have more than 14,400 cells. */
const MOST_CLASSES = 120;

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
	if (confusion.length === 0 || labels.length > MOST_CLASSES) return "";
	const isDense = labels.length > MOST_NAMED;
	const columns = labels.map((label, i) =>
		isDense
			? element("th", { scope: "col", title: label, "aria-label": shortLabel(label) }, String(i + 1))
			: element("th", { scope: "col" }, labelText(label)),
	);
	const rows = confusion.map((counts, row) => {
		const name = [isDense && element("small", {}, `${row + 1} `), labelText(labels[row])];
		return element("tr", {}, element("th", { scope: "row" }, ...name), ...cells(counts, row, labels, openCell));
	});
	const head = element("tr", {}, element("td"), ...columns);
	const whole = element("table", { class: isDense ? "matrix dense" : "matrix" });
	whole.append(element("caption", {}, "Confusion matrix"), element("thead", {}, head), element("tbody", {}, ...rows));
	const names = isDense ? "columns, by the numbers of the rows" : "columns";
	const note = `Test texts by true class (rows) and predicted class (${names}). A cell opens its texts.`;
	return element("div", {}, scrollable("Confusion matrix", whole), element("p", { class: "note" }, note));
}

function cells(counts, row, labels, openCell) {
	const sum = counts.reduce((total, count) => total + count, 0);
	return counts.map((count, column) => {
		const kind = count === 0 ? "none" : column === row ? "right" : "wrong";
		const label = `${count} texts of ${shortLabel(labels[row])}, predicted ${shortLabel(labels[column])}`;
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
	const { answer, error } = await ask("/texts", { label, predicted });
	if (error) return root.replaceChildren(element("p", { class: "problem" }, bdi(error.message)));
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
		labelText(label),
		" predicted as ",
		labelText(predicted),
		`: ${formatCount(answer.count)} texts${shown}`,
	);
	root.replaceChildren(title, table("Texts", ["probability", "text and source"], rows, { class: "texts" }));
}
