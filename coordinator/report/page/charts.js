// Runs in the report, after uPlot, the charts and the data: draws the curves.
{
	const count = new Intl.NumberFormat("en");
	const formats = {
		count: count.format,
		loss: (value) => value.toFixed(value < 0.1 ? 3 : 2),
		accuracy: (value) => `${(value * 100).toFixed(1)} %`,
	};
	const curves = JSON.parse(document.getElementById("chart-data").textContent);
	for (const root of document.querySelectorAll("[data-chart]")) new CurveChart(root, formats).draw(curves);
}
