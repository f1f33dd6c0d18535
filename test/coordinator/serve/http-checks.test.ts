import test from "ava";
import { pino } from "pino";
import { httpApp } from "../../../coordinator/serve/http.ts";
import { InFlightCalls } from "../../../coordinator/serve/in-flight-calls.ts";
import { ServeMetrics } from "../../../coordinator/serve/metrics.ts";
import { ModelHost } from "../../../coordinator/serve/model-host.ts";
import { VirtualClock } from "../../shared/bus/virtual-clock.ts";

/** A server without a model: it answers 503 to requests that pass the checks. */
function makeApp(onlyLoopback: boolean) {
	const log = pino({ level: "silent" });
	const open = () => Promise.reject(new Error("no model"));
	const host = new ModelHost({ run: "", open, clock: new VirtualClock(), log, onModel: () => {} });
	const metrics = new ServeMetrics(() => []);
	const calls = new InFlightCalls(metrics, log);
	const cors = "https://page.example";
	const isServing = () => true;
	return httpApp({ host, calls, log, logTexts: false, metrics, tokens: undefined, onlyLoopback, cors, isServing });
}

function classify(headers: Record<string, string>, onlyLoopback = true) {
	return makeApp(onlyLoopback).request("/v1/classify", { method: "POST", headers, body: '{"text":"hello"}' });
}

const json = { "content-type": "application/json" };

test("only JSON is accepted: content types that a form of any web page can send get 415", async (t) => {
	const host = "localhost:8080";
	for (const type of ["application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"])
		t.is((await classify({ host, "content-type": type })).status, 503, type);
	const others = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"];
	for (const type of [...others, "text/plain;application/json", "application/jsonp", "application/json5"]) {
		const response = await classify({ host, "content-type": type });
		t.is(response.status, 415, type);
		t.deepEqual(await response.json(), {
			code: "INVALID_ARGUMENT",
			message: `content-type: found ${JSON.stringify(type)}, expected application/json`,
		});
	}
});

test("without tokens and TLS, requests for another host name are refused on every path", async (t) => {
	for (const host of ["localhost", "localhost:8080", "LOCALHOST:1", "127.0.0.1:8080", "127.1.2.3", "[::1]:8080"])
		t.is((await classify({ ...json, host })).status, 503, host);
	const foreign = [
		"page.example",
		"localhost.page.example:8080",
		"127.0.0.1.page.example",
		"10.0.0.1",
		"localhost:80:1",
	];
	for (const host of [...foreign, "localhost@page.example", ""]) {
		t.is((await classify({ ...json, host })).status, 403, host);
		for (const path of ["/metrics", "/healthz", "/"])
			t.is((await makeApp(true).request(path, { headers: { host } })).status, 403, `${host}${path}`);
		const asks = { host, origin: "https://page.example", "access-control-request-method": "POST" };
		t.is((await makeApp(true).request("/v1/classify", { method: "OPTIONS", headers: asks })).status, 403, host);
	}
	t.is((await makeApp(true).request("/healthz", { headers: {} })).status, 403, "no host");
	t.is((await classify({ ...json, host: "page.example" }, false)).status, 503, "any host if not only loopback");
});
