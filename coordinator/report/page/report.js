// Runs in the report, after the charts: makes tables sortable and opens the texts of a cell of the confusion matrix.
{
	const button = (content) => {
		const made = document.createElement("button");
		made.type = "button";
		made.append(...content);
		return made;
	};

	// The first number of a cell, or its text in the first column.
	const cellValue = (row, column) => {
		const text = row.cells[column].textContent.trim();
		if (column === 0) return text;
		const number = Number.parseFloat(text.replaceAll(",", ""));
		return Number.isNaN(number) ? -1 : number;
	};

	function sort(table, column, direction) {
		const [body] = table.tBodies;
		const compare = (a, b) =>
			column === 0 ? a.value.localeCompare(b.value, "en", { numeric: true }) : a.value - b.value;
		const rows = [...body.rows].map((row) => ({ row, value: cellValue(row, column) }));
		rows.sort((a, b) => direction * compare(a, b));
		body.append(...rows.map(({ row }) => row));
	}

	for (const table of document.querySelectorAll("table[data-sortable]")) {
		const heads = [...table.tHead.rows[0].cells];
		for (const [column, head] of heads.entries()) {
			const sorter = button(head.childNodes);
			head.append(sorter);
			sorter.addEventListener("click", () => {
				// Names begin with the first one, numbers with the largest one.
				const first = column === 0 ? "ascending" : "descending";
				const other = column === 0 ? "descending" : "ascending";
				const order = head.ariaSort === first ? other : first;
				for (const one of heads) one.ariaSort = null;
				head.ariaSort = order;
				sort(table, column, order === "ascending" ? 1 : -1);
			});
		}
	}

	for (const cell of document.querySelectorAll("[data-pair]")) {
		const pair = document.getElementById(`pair-${cell.dataset.pair}`);
		if (!pair) continue;
		const opener = button(cell.childNodes);
		opener.title = "Show the texts";
		cell.append(opener);
		opener.addEventListener("click", () => {
			for (let one = pair; one; one = one.parentElement?.closest("details")) one.open = true;
			const summary = pair.querySelector("summary");
			summary.focus();
			summary.scrollIntoView({ block: "center" });
		});
	}
}

// Draws the precision-recall curve of the chosen class and shows the point at the slider's threshold.
{
	const root = document.querySelector("[data-thresholds]");
	// Enough digits to tell a threshold near 0 or 1 from 0 and 1.
	const threshold = (share) => `${(share * 100).toFixed(share > 0.001 && share < 0.999 ? 1 : 4)} %`;
	const at = ([, flagged, right], { own }) => ({ precision: right / flagged, recall: right / own });
	const place = ({ precision, recall }) => `${(100 * recall).toFixed(2)} ${(100 - 100 * precision).toFixed(2)}`;

	function start({ texts, curves }) {
		const [select, slider, line, circle] = ["select", "input", ".curve", "circle"].map((name) =>
			root.querySelector(name),
		);
		const values = root.querySelectorAll("dd");

		const show = () => {
			const curve = curves[select.value];
			const point = curve.points[slider.max - slider.value];
			const { precision, recall } = at(point, curve);
			const shown = [
				formatPercent(precision),
				formatPercent(recall),
				`${formatCount(point[1])} of ${formatCount(texts)}`,
			];
			for (const [i, text] of shown.entries()) values[i].textContent = text;
			root.querySelector("output").textContent = threshold(point[0]);
			slider.setAttribute(
				"aria-valuetext",
				`${threshold(point[0])}: precision ${shown[0]}, recall ${shown[1]}, ${shown[2]} texts flagged`,
			);
			const [x, y] = place({ precision, recall }).split(" ");
			circle.setAttribute("cx", x);
			circle.setAttribute("cy", y);
		};

		// The slider goes from the lowest threshold, on the left, to the highest one.
		const choose = () => {
			const curve = curves[select.value];
			const reached = curve.points.findIndex((point) => point[0] < curve.start);
			slider.max = curve.points.length - 1;
			slider.value = reached < 0 ? 0 : slider.max - Math.max(0, reached - 1);
			line.setAttribute("d", `M${curve.points.map((point) => place(at(point, curve))).join("L")}`);
			show();
		};
		select.addEventListener("change", choose);
		slider.addEventListener("input", show);
		choose();
	}

	if (root) start(JSON.parse(document.getElementById("threshold-data").textContent));
}
