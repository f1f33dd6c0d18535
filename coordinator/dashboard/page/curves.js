import { asCount, asLoss, asPercent, asSeconds } from "./format.js";
import uPlot from "./uplot.js";

const HEIGHT = 300;
const FONT = "12px system-ui, sans-serif";

/** The curves of each chart: name, label, variable of the colour, and style. */
const CHARTS = {
	loss: [
		["steps loss", "training, each step", "train-faint", "fine"],
		["validation step loss", "validation, a few batches", "validation-faint", "fine dashed"],
		["train epoch loss", "training", "train", "points"],
		["validation epoch loss", "validation", "validation", "points dashed"],
	],
	accuracy: [
		["train step accuracy", "training, a few batches", "train-faint", "fine"],
		["validation step accuracy", "validation, a few batches", "validation-faint", "fine dashed"],
		["train epoch accuracy", "training", "train", "points"],
		["validation epoch accuracy", "validation", "validation", "points dashed"],
	],
};

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const formatOf = { loss: asLoss, accuracy: asPercent };

/**
 * Draws the charts. Returns functions that draw new points, and that change the axis ("texts" or "seconds").
 */
export function createCharts() {
	const charts = [...document.querySelectorAll("#view [data-chart]")].map((root) => new Chart(root));
	const each = (action) => {
		for (const chart of charts) action(chart);
	};
	return {
		draw: (curves) => each((chart) => chart.draw(curves)),
		setAxis: (axis) => each((chart) => chart.setAxis(axis)),
	};
}

/** A chart of the loss or the accuracy, in an element that names the measure. */
export class Chart {
	#root;
	#measure;
	#plot;
	#axis = "texts";
	#curves = {};
	#drawn = [];

	constructor(root) {
		this.#root = root;
		this.#measure = root.dataset.chart;
		new ResizeObserver(() => requestAnimationFrame(() => this.#fit())).observe(root);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot?.redraw(false, true));
	}

	draw(curves) {
		this.#curves = curves;
		const drawn = CHARTS[this.#measure].filter(([name]) => curves[name]?.length > 0);
		// A curve without points would have an entry in the legend.
		if (!this.#plot || drawn.length !== this.#drawn.length) this.#create(drawn);
		else this.#plot.setData(this.#data());
		showLast(this.#plot);
	}

	setAxis(axis) {
		this.#axis = axis;
		this.#plot?.destroy();
		this.#plot = undefined;
		this.draw(this.#curves);
	}

	#fit() {
		const width = this.#root.clientWidth;
		if (this.#plot && this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT });
	}

	#data() {
		const place = this.#axis === "texts" ? 0 : 1;
		const tables = this.#drawn.map(([name]) => {
			const points = this.#curves[name] ?? [];
			return [points.map((point) => point[place]), points.map(([, , value]) => value)];
		});
		return tables.length > 0 ? uPlot.join(tables) : [[]];
	}

	#create(drawn) {
		this.#plot?.destroy();
		this.#drawn = drawn;
		const setup = options(this.#measure, this.#axis, drawn, this.#root.clientWidth);
		this.#plot = new uPlot(setup, this.#data(), this.#root);
	}
}

function options(measure, axis, drawn, width) {
	const formatX = axis === "texts" ? asCount : asSeconds;
	return {
		...{ width, height: HEIGHT, padding: [8, 14, 0, 0] },
		scales: { x: { time: false, range: (_, __, max) => [0, max || 1] }, y: { range: rangeOf(measure) } },
		axes: [
			axisOf({
				size: 46,
				label: axis === "texts" ? "training texts seen" : "seconds since the run began",
				grid: { show: false },
				values: (_, splits) => splits.map((n) => asCount(n)),
			}),
			axisOf({
				size: 56,
				values: (_, splits) => splits.map((n) => (measure === "loss" ? String(n) : `${+(n * 100).toFixed(1)} %`)),
			}),
		],
		series: [
			{ label: axis, value: (_, n) => (n === null ? "–" : formatX(n)) },
			...drawn.map((one) => series(one, measure)),
		],
		cursor: { y: false, drag: { x: false, y: false }, sync: { key: "run" } },
		legend: { markers: { width: 0, fill: (_, i) => (i === 0 ? "none" : `var(--${drawn[i - 1][2]})`) } },
		hooks: { setCursor: [showLast] },
	};
}

function rangeOf(measure) {
	if (measure === "loss") return (_, __, max) => [0, max * 1.05 || 1];
	return (_, min) => [Math.min(0.9, Math.floor((min ?? 0.9) * 10) / 10), 1.005];
}

function series([, label, variable, style], measure) {
	const stroke = () => color(variable);
	return {
		label,
		stroke,
		width: style.includes("fine") ? 1.25 : 2.25,
		dash: style.includes("dashed") ? [6, 4] : undefined,
		spanGaps: true,
		points: style.includes("points") ? { show: true, size: 7, fill: stroke, stroke } : { show: false },
		value: (_, value) => (value === null || value === undefined ? "–" : formatOf[measure](value)),
	};
}

function axisOf(more) {
	return {
		...{ font: FONT, labelFont: FONT, labelSize: 20, stroke: () => color("muted"), ticks: { show: false } },
		grid: { stroke: () => color("line"), width: 1 },
		...more,
	};
}

/** If the pointer isn't over a chart, the legend shows the last value of each curve. */
function showLast(plot) {
	if (plot.cursor.idx !== null && plot.cursor.idx !== undefined) return;
	const idxs = plot.data.map((values) => values.findLastIndex((value) => value !== null && value !== undefined));
	plot.setLegend({ idxs }, false);
}
