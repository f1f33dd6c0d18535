import { showComparison } from "./comparison.js";
import { createCharts } from "./curves.js";
import { byId, setText } from "./dom.js";
import { nextState } from "./next-state.js";
import { keepChoice, readChoice, takeToken } from "./page-state.js";
import { showBanner, showEpochs, showFigures, showHead, showPhase } from "./progress.js";
import { showResult } from "./result.js";
import { showRuns } from "./runs.js";
import { followEvents } from "./stream.js";
import { showWorkers } from "./workers.js";

const CONNECTION = { open: "live", lost: "connection lost, trying again", over: "ended" };

const charts = createCharts();
let state = { curves: {} };
let token = takeToken();

/** Shows the sections of the state that have changed. */
function show(changes) {
	const has = (...names) => names.some((name) => name in changes);
	if (has("run")) showHead(state);
	if (has("phases", "end")) showPhase(state);
	if (has("run", "epoch", "speed", "workers")) showFigures(state);
	if (has("notices", "warnings", "end")) showBanner(state);
	if (has("curves")) {
		charts.draw(state.curves);
		if (Object.keys(changes.curves).some((name) => name.includes("epoch"))) showEpochs(state);
	}
	if (has("workers")) showWorkers(state);
	if (has("end")) showResult(state, ask);
}

/** Asks the server for JSON about the run. Returns undefined if it refuses or can't be reached. */
async function ask(path, parameters = {}) {
	const run = readChoice("run");
	const query = new URLSearchParams(run === null ? parameters : { ...parameters, run });
	const headers = { authorization: `Bearer ${token}` };
	const response = await fetch(`${path}?${query}`, { headers }).catch(() => undefined);
	if (response?.status === 401) forgetToken();
	return response?.ok ? response.json() : undefined;
}

function forgetToken() {
	token = null;
	sessionStorage.removeItem("token");
	byId("view").hidden = true;
	byId("token").hidden = false;
}

/** Shows the list of runs, one run, or two runs side by side. */
async function connect() {
	byId("token").hidden = token !== null;
	if (token === null) return;
	const list = await ask("/runs");
	const [run, other] = [readChoice("run"), readChoice("with")];
	byId("all").hidden = !list || run === null;
	if (list && run === null) showRuns(list);
	else if (list && other !== null) await compare(run, other);
	else if (list !== undefined) follow(run === null ? "/events" : `/events?${new URLSearchParams({ run })}`, !list);
}

async function compare(run, other) {
	const headers = { authorization: `Bearer ${token}` };
	const get = async (path, names) => {
		const query = new URLSearchParams(names.map((name) => ["run", name]));
		const response = await fetch(`${path}?${query}`, { headers });
		const answer = await response.json();
		if (!response.ok) throw new Error(answer.message);
		return answer;
	};
	try {
		const comparison = await get("/comparison", [run, other]);
		showComparison(comparison, [await get("/state", [run]), await get("/state", [other])]);
	} catch (error) {
		byId("comparison").hidden = false;
		setText(byId("comparison"), error.message);
	}
}

/** @param isLive whether the server is the run itself, which can be stopped and ends */
function follow(path, isLive) {
	byId("view").hidden = false;
	byId("workers-section").hidden = !isLive;
	void followEvents(path, token, {
		use(event, data) {
			state = nextState(state, event, data);
			show(data);
			setText(byId("connection"), state.end ? CONNECTION.over : CONNECTION.open);
			byId("cancel").hidden = !isLive || !!state.end;
		},
		onConnection(connection) {
			if (connection === "refused") forgetToken();
			else setText(byId("connection"), CONNECTION[connection]);
			document.documentElement.dataset.connection = connection;
		},
		isOver: () => isLive && !!state.end,
	});
}

async function cancel() {
	const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
	const response = await fetch("/cancel", { method: "POST", headers, body: "{}" });
	if (response.ok) {
		byId("cancel").disabled = true;
		setText(byId("cancel"), "Stopping after this step");
	}
}

byId("token").addEventListener("submit", (event) => {
	event.preventDefault();
	token = byId("token-value").value.trim();
	sessionStorage.setItem("token", token);
	void connect();
});
byId("cancel").addEventListener("click", () => byId("confirm").showModal());
byId("confirm").addEventListener("close", () => byId("confirm").returnValue === "yes" && cancel());

const axis = readChoice("axis") === "seconds" ? "seconds" : "texts";
for (const radio of document.querySelectorAll("[name=axis]")) {
	radio.checked = radio.value === axis;
	radio.addEventListener("change", () => {
		keepChoice("axis", radio.value === "texts" ? null : radio.value);
		charts.setAxis(radio.value);
	});
}
charts.setAxis(axis);
void connect();
