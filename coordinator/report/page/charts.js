// Runs in the report, after uPlot and the data. Colours are read when drawing, so that they follow the light or dark
// theme.
{
	const HEIGHT = 300;
	const PRINTED_WIDTH = 330;
	const root = document.documentElement;
	const color = (name) => getComputedStyle(root).getPropertyValue(name).trim();
	const count = new Intl.NumberFormat("en");
	const font = "12px system-ui, sans-serif";
	const format = {
		loss: (value) => value.toFixed(value < 0.1 ? 3 : 2),
		accuracy: (value) => `${(value * 100).toFixed(1)} %`,
	};
	const names = {
		train: { epoch: "training", step: "training, a few batches" },
		validation: { epoch: "validation", step: "validation, a few batches" },
	};

	const variable = ({ set, kind }) => `var(--${set}${kind === "step" ? "-faint" : ""})`;

	// If the pointer isn't over the chart, the legend shows the last value of each curve.
	function showLast(plot) {
		if (plot.cursor.idx != null) return;
		const idxs = plot.data.map((values) => values.findLastIndex((value) => value !== null));
		plot.setLegend({ idxs }, false);
	}

	function series({ set, kind }, measure) {
		const stroke = () => color(`--${set}${kind === "step" ? "-faint" : ""}`);
		return {
			label: names[set][kind],
			stroke,
			width: kind === "step" ? 1.25 : 2.25,
			dash: set === "validation" ? [6, 4] : undefined,
			spanGaps: true,
			points: kind === "step" ? { show: false } : { show: true, size: 7, fill: stroke, stroke },
			value: (_, value) => (value === null ? "–" : format[measure](value)),
		};
	}

	function axis(options) {
		return {
			font,
			labelFont: font,
			labelSize: 20,
			stroke: () => color("--muted"),
			grid: { stroke: () => color("--line"), width: 1 },
			ticks: { show: false },
			...options,
		};
	}

	// Labels at most 10 epochs, so that the numbers fit.
	function epochAxis(epochs) {
		const every = Math.ceil(epochs.length / 10);
		const shown = epochs.filter((_, index) => (epochs.length - 1 - index) % every === 0);
		return axis({
			scale: "x",
			side: 0,
			size: 26,
			label: "end of epoch",
			splits: () => shown.map(({ examplesSeen }) => examplesSeen),
			values: () => shown.map(({ epoch }) => String(epoch)),
			grid: { stroke: () => color("--line"), width: 1, dash: [2, 4] },
		});
	}

	function draw(element, measure, { examplesSeen, epochs, series: list }) {
		const top = Math.max(...examplesSeen, 1);
		const values = list.flatMap((one) => one.values).filter((value) => value !== null);
		const range =
			measure === "loss"
				? [0, Math.max(...values) * 1.05 || 1]
				: [Math.min(0.9, Math.floor(Math.min(...values) * 10) / 10), 1.005];
		const options = {
			width: element.clientWidth,
			height: HEIGHT,
			padding: [4, 14, 0, 0],
			scales: { x: { time: false, range: [0, top] }, y: { range } },
			axes: [
				axis({
					size: 32,
					label: "training texts seen",
					grid: { show: false },
					values: (_, splits) => splits.map((n) => count.format(n)),
				}),
				axis({
					size: measure === "loss" ? 46 : 58,
					values: (_, splits) => splits.map((n) => (measure === "loss" ? String(n) : `${+(n * 100).toFixed(1)} %`)),
				}),
				epochAxis(epochs),
			],
			series: [
				{ label: "texts seen", value: (_, n) => (n === null ? "–" : count.format(n)) },
				...list.map((one) => series(one, measure)),
			],
			cursor: { y: false, drag: { x: false, y: false } },
			legend: { markers: { width: 0, fill: (_, index) => (index === 0 ? "none" : variable(list[index - 1])) } },
			hooks: { setCursor: [showLast] },
		};
		const plot = new uPlot(options, [examplesSeen, ...list.map((one) => one.values)], element);
		showLast(plot);
		return plot;
	}

	const data = JSON.parse(document.getElementById("chart-data").textContent);
	const plots = [...document.querySelectorAll("[data-chart]")].map((element) => ({
		element,
		plot: draw(element, element.dataset.chart, data[element.dataset.chart]),
	}));
	const resize = (widthOf) => {
		for (const { element, plot } of plots) plot.setSize({ width: widthOf(element), height: HEIGHT });
	};
	const fitAll = () => resize((element) => element.clientWidth);
	const redraw = () => {
		for (const { plot } of plots) plot.redraw(false, true);
	};
	const observer = new ResizeObserver(() => requestAnimationFrame(fitAll));
	for (const { element } of plots) observer.observe(element);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
	addEventListener("beforeprint", () => {
		root.classList.add("printed");
		resize(() => PRINTED_WIDTH);
	});
	addEventListener("afterprint", () => {
		root.classList.remove("printed");
		fitAll();
	});
}
