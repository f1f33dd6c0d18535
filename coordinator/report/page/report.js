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
		opener.setAttribute("aria-label", `${cell.textContent.trim()}: show the texts`);
		cell.append(opener);
		opener.addEventListener("click", () => {
			for (let one = pair; one; one = one.parentElement?.closest("details")) one.open = true;
			const summary = pair.querySelector("summary");
			summary.focus();
			summary.scrollIntoView({ block: "center" });
		});
	}
}
