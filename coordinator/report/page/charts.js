// Runs in the report, after uPlot, the formats, the charts and the data: draws the curves.
{
	const curves = JSON.parse(document.getElementById("chart-data").textContent);
	for (const root of document.querySelectorAll("[data-chart]")) new CurveChart(root, CURVE_FORMATS).draw(curves);
}
