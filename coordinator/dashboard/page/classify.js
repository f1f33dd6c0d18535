import { bdi, byId, element, labelText, setText, table } from "./dom.js";
import { formatCount, formatPercent } from "./format-numbers.js";

/**
 * Lets people classify a text with the model of a finished run.
 * @param classify posts a text; returns an answer or an error
 */
export function createClassifyBox(classify) {
	const [form, button] = [byId("classify-form"), byId("classify-button")];
	form.addEventListener("submit", async (event) => {
		event.preventDefault();
		button.disabled = true;
		setText(byId("answer"), "Classifying …");
		const { answer, error } = await classify(byId("text").value);
		button.disabled = false;
		byId("answer").replaceChildren(...(error ? [problem(error)] : describe(answer)));
	});
}

/** Shows the box if the run is finished. */
export function showClassifyBox({ end }) {
	byId("classify").hidden = end?.state !== "finished";
}

function problem({ message }) {
	return element("p", { class: "problem" }, bdi(message));
}

function describe({ labels, multiLabel, abstain, tokens, truncated, maxTokens }) {
	const hasThresholds = labels.some(({ threshold }) => threshold !== null);
	const heads = ["label", "probability", ...(hasThresholds ? ["threshold"] : [])];
	const rows = labels.map(({ label, probability, threshold, isPredicted }) =>
		element(
			"tr",
			{ class: isPredicted && "predicted" },
			element("th", { scope: "row" }, labelText(label), isPredicted && element("small", {}, "predicted")),
			bar(probability),
			hasThresholds && element("td", {}, threshold === null ? "–" : formatPercent(threshold)),
		),
	);
	const read = truncated
		? `The text was cut: only ${formatCount(tokens)} tokens were read, the limit is ${formatCount(maxTokens)}.`
		: `All ${formatCount(tokens)} tokens of the text were read.`;
	return [
		decision(labels, multiLabel, abstain),
		table("Probabilities", heads, rows, { class: "probabilities" }),
		element("p", { class: truncated ? "note problem" : "note" }, read),
	];
}

function decision(labels, multiLabel, abstain) {
	const predicted = labels.filter(({ isPredicted }) => isPredicted);
	if (predicted.length > 0) {
		const names = predicted.flatMap(({ label }, i) => [i > 0 && ", ", labelText(label)]);
		return element("p", { class: "decision" }, "Predicted: ", element("strong", {}, ...names));
	}
	const least = !multiLabel && abstain > 0 ? ` or ${formatPercent(abstain)} (--abstain)` : "";
	return element("p", { class: "decision" }, `No label is predicted: no probability reaches its threshold${least}.`);
}

function bar(probability) {
	const cell = element("td", { class: "bar" }, formatPercent(probability));
	cell.style.setProperty("--share", probability.toFixed(4));
	return cell;
}
