// Draws curves in the dashboard and in the report, which has all scripts in one module. It needs uPlot. Colours are
// read when drawing, so that they follow the light or dark theme.

/** A chart of the loss or the accuracy, in an element that names the measure. */
export class CurveChart {
	static #HEIGHT = 300;
	static #PRINTED_WIDTH = 330;
	static #FONT = "12px system-ui, sans-serif";

	/** The curves of each chart: name, label, variable of the colour, and style. */
	static #CURVES = {
		loss: [
			["steps loss", "training, each step", "train-faint", "fine"],
			["train step loss", "training, a few batches", "train-faint", "fine"],
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

	#root;
	#measure;
	#formats;
	#plot;
	#axis = "texts";
	#curves = {};
	#drawn = [];

	/** @param formats functions that format values: count, seconds, loss and accuracy */
	constructor(root, formats) {
		this.#root = root;
		this.#measure = root.dataset.chart;
		this.#formats = formats;
		new ResizeObserver(() => requestAnimationFrame(() => this.#fit(root.clientWidth))).observe(root);
		matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#plot?.redraw(false, true));
		// Pages are printed in light colours.
		addEventListener("beforeprint", () => {
			document.documentElement.classList.add("printed");
			this.#fit(CurveChart.#PRINTED_WIDTH);
		});
		addEventListener("afterprint", () => {
			document.documentElement.classList.remove("printed");
			this.#fit(root.clientWidth);
			this.#plot?.redraw(false, true);
		});
	}

	/**
	 * Draws curves.
	 * @param curves by their names: lists of points [texts, seconds, value]; "epochs" has the ends of epochs
	 */
	draw(curves) {
		this.#curves = curves;
		const has = (name) => curves[name]?.length > 0;
		const isDrawn = ([name]) => has(name) && !(name === "train step loss" && has("steps loss"));
		const drawn = CurveChart.#CURVES[this.#measure].filter(isDrawn);
		// A curve without points would have an entry in the legend.
		if (!this.#plot || drawn.map(([name]) => name).join() !== this.#drawn.map(([name]) => name).join())
			this.#create(drawn);
		else {
			this.#plot.setData(this.#data());
			// Without this, an epoch that ends at the last step gets no label, because the scale is the same.
			this.#plot.redraw(false, true);
		}
		CurveChart.#showLast(this.#plot);
	}

	/** Changes the axis. @param axis "texts" or "seconds" */
	setAxis(axis) {
		this.#axis = axis;
		this.#plot?.destroy();
		this.#plot = undefined;
		this.draw(this.#curves);
	}

	#fit(width) {
		if (this.#plot && this.#plot.width !== width) this.#plot.setSize({ width, height: CurveChart.#HEIGHT });
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
		this.#plot = new uPlot(this.#options(drawn), this.#data(), this.#root);
	}

	#options(drawn) {
		const isLoss = this.#measure === "loss";
		const formatX = this.#formats[this.#axis === "texts" ? "count" : "seconds"];
		return {
			...{ width: this.#root.clientWidth, height: CurveChart.#HEIGHT, padding: [8, 14, 0, 0] },
			scales: {
				// Without points, the axis ends at 100, so that its numbers are whole.
				x: { time: false, range: (_, __, max) => [0, max || 100] },
				y: { range: isLoss ? CurveChart.#lossRange : CurveChart.#accuracyRange },
			},
			axes: this.#axes(),
			series: [
				{ label: this.#axis, value: (_, n) => (Number.isFinite(n) ? formatX(n) : "–") },
				...drawn.map((one) => this.#series(one)),
			],
			cursor: { y: false, drag: { x: false, y: false }, sync: { key: "run" } },
			legend: { markers: { width: 0, fill: (_, i) => (i === 0 ? "none" : `var(--${drawn[i - 1][2]})`) } },
			hooks: { setCursor: [CurveChart.#showLast] },
		};
	}

	#axes() {
		const isTexts = this.#axis === "texts";
		const { count } = this.#formats;
		const formatY = this.#measure === "loss" ? String : (n) => `${+(n * 100).toFixed(1)} %`;
		const bottom = {
			size: 46,
			label: isTexts ? "training texts seen" : "seconds since the run began",
			grid: { show: false },
			values: (_, splits) => splits.map((n) => count(n)),
		};
		const left = { size: 56, values: (_, splits) => splits.map(formatY) };
		return [bottom, left, ...(isTexts ? [this.#epochAxis()] : [])].map(CurveChart.#axisOf);
	}

	#series([, label, variable, style]) {
		const stroke = () => CurveChart.#color(variable);
		const format = this.#formats[this.#measure];
		return {
			label,
			stroke,
			width: style.includes("fine") ? 1.25 : 2.25,
			dash: style.includes("dashed") ? [6, 4] : undefined,
			spanGaps: true,
			points: style.includes("points") ? { show: true, size: 7, fill: stroke, stroke } : { show: false },
			value: (_, value) => (value === null || value === undefined ? "–" : format(value)),
		};
	}

	/** Marks the ends of epochs, and labels at most 10 of them, so that the numbers fit. */
	#epochAxis() {
		const shown = () => {
			const ends = this.#curves.epochs ?? [];
			const every = Math.ceil(ends.length / 10);
			return ends.filter((_, i) => (ends.length - 1 - i) % every === 0);
		};
		return {
			scale: "x",
			side: 0,
			size: 26,
			label: "end of epoch",
			splits: () => shown().map(([texts]) => texts),
			values: () => shown().map(([, , epoch]) => String(epoch)),
			grid: { stroke: () => CurveChart.#color("line"), width: 1, dash: [2, 4] },
		};
	}

	static #color(name) {
		return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
	}

	static #axisOf(more) {
		const font = CurveChart.#FONT;
		return {
			...{ font, labelFont: font, labelSize: 20, ticks: { show: false } },
			stroke: () => CurveChart.#color("muted"),
			grid: { stroke: () => CurveChart.#color("line"), width: 1 },
			...more,
		};
	}

	static #lossRange(_plot, _min, max) {
		return [0, max * 1.05 || 1];
	}

	static #accuracyRange(_plot, min) {
		return [Math.min(0.9, Math.floor((min ?? 0.9) * 10) / 10), 1.005];
	}

	/** If the pointer isn't over a chart, the legend shows the last value of each curve. */
	static #showLast(plot) {
		if (plot.cursor.idx !== null && plot.cursor.idx !== undefined) return;
		const idxs = plot.data.map((values) => values.findLastIndex((value) => value !== null && value !== undefined));
		plot.setLegend({ idxs }, false);
	}
}
