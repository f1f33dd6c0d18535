import { createClassifyBox, showClassifyBox } from "./classify.js";
import { showCluster, showClusterProblem } from "./cluster.js";
import { showComparison } from "./comparison.js";
import { CurveChart } from "./curve-chart.js";
import { POLL_MS } from "./deadlines.js";
import { byId, setText } from "./dom.js";
import { CURVE_FORMATS } from "./format-numbers.js";
import { nextState } from "./next-state.js";
import { keepChoice, readChoice } from "./page-state.js";
import { showBanner, showEpochs, showFigures, showHead, showPhase } from "./progress.js";
import { showResult } from "./result.js";
import { showRuns, showRunsProblem } from "./runs.js";
import { askServer, authorization, hasToken, keepToken } from "./server.js";
import { followEvents } from "./stream.js";
import { showSweep, showSweepProblem } from "./sweep.js";
import { showWorkers } from "./workers.js";

const CONNECTION = { open: "live", lost: "connection lost, trying again", failed: "trying again", over: "ended" };

const charts = [...document.querySelectorAll("#view [data-chart]")].map((root) => new CurveChart(root, CURVE_FORMATS));
let state = { curves: {} };

/** Shows the sections of the state that have changed. */
function show(changes) {
	const has = (...names) => names.some((name) => name in changes);
	if (has("run")) showHead(state);
	if (has("phases", "end")) showPhase(state);
	if (has("run", "epoch", "speed", "traffic", "workers")) showFigures(state);
	if (has("notices", "warnings", "end")) showBanner(state);
	if (has("curves")) {
		for (const chart of charts) chart.draw(state.curves);
		if (Object.keys(changes.curves).some((name) => name.includes("epoch"))) showEpochs(state);
	}
	if (has("workers")) showWorkers(state);
	if (has("end")) {
		showResult(state, ask);
		showClassifyBox(state);
	}
}

/** Asks the server about the run. Returns the answer, or an error. */
async function ask(path, parameters = {}, body = undefined) {
	const run = readChoice("run");
	const asked = await askServer(path, run === null ? parameters : { ...parameters, run }, body);
	if (asked.error?.status === 401) forgetToken();
	return asked;
}

function forgetToken() {
	keepToken(null);
	byId("view").hidden = true;
	byId("token").hidden = false;
}

/** Shows the list of runs, a sweep, one run, or two runs side by side. */
async function connect() {
	byId("token").hidden = hasToken();
	if (!hasToken()) return;
	const { answer: list, error } = await ask("/runs");
	if (error && hasToken()) showRunsProblem(error);
	const [run, other, sweep] = ["run", "with", "sweep"].map(readChoice);
	byId("all").hidden = !list || (run === null && sweep === null);
	if (list && sweep !== null) await followSweep(sweep);
	else if (list && run === null) {
		showRuns(list);
		await Promise.all([followRuns(), followCluster()]);
	} else if (list && other !== null) await compare([run, other]);
	else if (list !== undefined) follow(run === null ? "/events" : `/events?${new URLSearchParams({ run })}`, !list);
}

/** Shows the list of runs again while the page is visible. */
function followRuns() {
	return pollWhileVisible(async () => {
		const { answer, error } = await ask("/runs");
		if (error) showRunsProblem(error);
		else showRuns(answer);
	});
}

/** Shows the runs of the cluster while the page is visible, if the server has one. */
function followCluster() {
	return pollWhileVisible(async () => {
		const { answer, error } = await ask("/cluster");
		if (error) showClusterProblem(error);
		else if (answer !== null) showCluster(answer, confirmStop);
		return answer === null;
	});
}

/** Shows a sweep while the page is visible, until its end. */
function followSweep(sweep) {
	return pollWhileVisible(async () => {
		const { answer, error } = await ask("/sweep", { sweep });
		if (error) showSweepProblem(error);
		else showSweep(answer);
		return answer?.isFinished;
	});
}

/** @param read reads and shows something; returns whether that was its end */
async function pollWhileVisible(read) {
	while (!(await read()) && hasToken()) {
		await new Promise((resolve) => setTimeout(resolve, POLL_MS));
		if (document.hidden)
			await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
	}
}

async function compare(runs) {
	const asked = [{ path: "/comparison", run: runs }, ...runs.map((run) => ({ path: "/state", run }))];
	const answers = await Promise.all(asked.map(({ path, run }) => askServer(path, { run })));
	const error = answers.find((one) => one.error)?.error;
	byId("comparison").hidden = false;
	if (error) setText(byId("comparison"), error.message);
	else showComparison(answers[0].answer, [answers[1].answer, answers[2].answer], runs);
}

/** @param isLive whether the server is the run itself, which can be stopped and ends */
function follow(path, isLive) {
	byId("view").hidden = false;
	byId("workers-section").hidden = !isLive;
	if (!isLive) setText(byId("name"), readChoice("run"));
	void followEvents(path, authorization(), {
		use(event, data) {
			state = nextState(state, event, data);
			show(data);
			showConnection(state.end ? "over" : "open");
			byId("cancel").hidden = !isLive || !!state.end;
		},
		onConnection(connection, problem) {
			if (problem !== undefined) showBanner({ warnings: [problem] });
			if (connection === "refused") forgetToken();
			else showConnection(connection);
		},
		isOver: () => isLive && !!state.end,
	});
}

function showConnection(connection) {
	setText(byId("connection"), CONNECTION[connection]);
	document.documentElement.dataset.connection = connection;
}

/** Asks for a confirmation, then stops the run. @param id of the run if the page shows a cluster */
function confirmStop(id, button) {
	const dialog = byId("confirm");
	dialog.returnValue = "";
	dialog.onclose = async () => {
		if (dialog.returnValue !== "yes") return;
		const { error } = await (id === undefined ? ask("/cancel", {}, {}) : ask("/cluster/cancel", {}, { run: id }));
		button.disabled = !error;
		setText(button, error ? `Stop the run (${error.message})` : "Stopping after this step");
	};
	dialog.showModal();
}

byId("token").addEventListener("submit", (event) => {
	event.preventDefault();
	keepToken(byId("token-value").value.trim());
	void connect();
});
createClassifyBox((text) => ask("/classify", {}, { text }));
byId("cancel").addEventListener("click", () => confirmStop(undefined, byId("cancel")));

const axis = readChoice("axis") === "seconds" ? "seconds" : "texts";
for (const radio of document.querySelectorAll("[name=axis]")) {
	radio.checked = radio.value === axis;
	radio.addEventListener("change", () => {
		keepChoice("axis", radio.value === "texts" ? null : radio.value);
		for (const chart of charts) chart.setAxis(radio.value);
	});
}
for (const chart of charts) chart.setAxis(axis);
void connect();
