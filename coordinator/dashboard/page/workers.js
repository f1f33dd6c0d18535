import { bdi, byId, element, svg, table } from "./dom.js";
import { formatCount, formatPercent } from "./format-numbers.js";

const COLORS = 8;
const SECONDS = 120;
/** The state of a worker, for people. */
export const STATES = {
	computing: "computing",
	waiting: "waiting",
	silent: "silent",
	suspended: "gets no work",
	left: "left",
};

/** Shows a lane for each worker, and how far the slowest one is behind the median. */
export function showWorkers({ workers = [] }) {
	const root = byId("workers");
	if (workers.length === 0) {
		root.replaceChildren(element("p", { class: "note" }, "No worker has joined yet."));
		return;
	}
	const rows = workers.map((worker, i) => row(worker, i % COLORS));
	const columns = ["worker", "state", "shards", "speed", "texts", "the last two minutes"];
	root.replaceChildren(
		drawShards(workers),
		table("Workers", columns, rows, { class: "workers" }),
		element("p", { class: "note" }, comparison(workers)),
	);
}

function row({ id, device, state, shards, speed, texts, lane }, color) {
	const name = element(
		"th",
		{ scope: "row" },
		element("i", { class: `worker-${color}` }),
		bdi(shortenWorker(id)),
		element("small", {}, bdi(device)),
	);
	return element(
		"tr",
		{ class: state },
		name,
		element("td", { "data-state": state }, STATES[state]),
		element("td", {}, shards.length === 0 ? "–" : shards.length > 8 ? String(shards.length) : shards.join(", ")),
		element("td", {}, `${speed.toFixed(2)} ×`),
		element("td", {}, formatCount(texts)),
		element("td", { class: "lane" }, drawLane(lane, color)),
	);
}

/** One square per shard, in the colour of its worker. */
function drawShards(workers) {
	const shards = workers.flatMap(({ id, shards: own }, i) => own.map((shard) => ({ shard, id, color: i % COLORS })));
	const squares = shards
		.sort((a, b) => a.shard - b.shard)
		.map(({ shard, id, color }) =>
			element("li", { class: `worker-${color}`, title: `shard ${shard}: ${shortenWorker(id)}` }, String(shard)),
		);
	return element("ul", { class: "shards", "aria-label": "Shards, in the colours of their workers" }, ...squares);
}

/** One bar per second: its height is the share of the second in which the worker computed. */
function drawLane(lane, color) {
	const start = SECONDS - lane.length;
	const paths = { computing: "", silent: "", suspended: "", left: "" };
	for (const [i, mark] of [...lane].entries()) {
		const x = start + i;
		const kind = { s: "silent", x: "suspended", l: "left" }[mark] ?? "computing";
		const height = kind === "computing" ? Math.max(0.6, (Number(mark) / 9) * 20) : kind === "left" ? 0.6 : 20;
		paths[kind] += `M${x} 20v${-height}h1v${height}z`;
	}
	const share = [...lane].reduce((sum, mark) => sum + (Number(mark) || 0), 0) / (9 * lane.length);
	return svg(
		"svg",
		{
			viewBox: `0 0 ${SECONDS} 20`,
			preserveAspectRatio: "none",
			role: "img",
			"aria-label": `computed ${formatPercent(share)} of this time`,
		},
		...Object.entries(paths).flatMap(([kind, d]) => (d ? [svg("path", { d, class: `${kind} worker-${color}` })] : [])),
	);
}

function comparison(workers) {
	const present = workers.filter(({ state }) => state === "computing" || state === "waiting");
	if (present.length < 2) return "A bar is one second; its height is the share in which the worker computed.";
	const speeds = present.map(({ speed }) => speed).sort((a, b) => a - b);
	const middle = (speeds.length - 1) / 2;
	const median = (speeds[Math.floor(middle)] + speeds[Math.ceil(middle)]) / 2;
	const slowest = present.reduce((one, other) => (other.speed < one.speed ? other : one));
	return `The slowest worker, ${shortenWorker(slowest.id)}, has ${formatPercent(slowest.speed / median)} of the median speed. A bar is one second; its height is the share in which the worker computed.`;
}

/** Returns the host of a worker and the beginning of the random part of its id. */
export function shortenWorker(id) {
	return id.replace(/(-[0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}$/, "$1");
}
