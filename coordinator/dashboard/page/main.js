import { createCharts } from "./curves.js";
import { byId, setText } from "./dom.js";
import { nextState } from "./next-state.js";
import { keepChoice, readChoice, takeToken } from "./page-state.js";
import { showBanner, showEpochs, showFigures, showHead, showPhase } from "./progress.js";
import { showResult } from "./result.js";
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
	if (has("end")) {
		showResult(state);
		byId("cancel").hidden = state.end !== null;
	}
}

function connect() {
	byId("token").hidden = token !== null;
	byId("view").hidden = token === null;
	if (token === null) return;
	void followEvents(token, {
		use(event, data) {
			state = nextState(state, event, data);
			show(data);
		},
		onConnection(connection) {
			if (connection === "refused") {
				token = null;
				sessionStorage.removeItem("token");
				connect();
			} else setText(byId("connection"), CONNECTION[connection]);
			document.documentElement.dataset.connection = connection;
		},
		isOver: () => !!state.end,
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
	connect();
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
connect();
