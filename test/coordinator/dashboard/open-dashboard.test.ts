import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { request as requestTls } from "node:https";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { type Dashboard, openDashboard } from "../../../coordinator/dashboard/open-dashboard.ts";
import { readPageSecurity } from "../../../coordinator/dashboard/page-options.ts";
import { MOST_VIEWERS } from "../../../coordinator/dashboard/viewers.ts";
import { RunEvents } from "../../../coordinator/events/run-events.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { newFolder } from "../../new-folder.ts";
import { makeCertificates } from "../../shared/rpc/certificates.ts";
import { sampleLine } from "../run-folder/sample-run.ts";
import { emitStart, emitStep } from "./events.ts";
import { pageOptions } from "./page-options.ts";
import { viewEvents } from "./view-events.ts";

async function start(t: ExecutionContext, options = pageOptions()) {
	const events = new RunEvents();
	const dashboard = await openDashboard(events, options);
	t.teardown(() => dashboard.close());
	const { origin, hash } = new URL(dashboard.url);
	const authorization = `Bearer ${hash.replace("#token=", "")}`;
	return { events, dashboard, origin, authorization };
}

const view = (origin: string, authorization: string) => viewEvents(`${origin}/events`, { authorization });

test("a viewer gets the whole state, then changes, then the end", async (t) => {
	const { events, dashboard, origin, authorization } = await start(t);
	emitStart(events);
	const { next } = await view(origin, authorization);
	const first = await next();
	t.is(first?.event, "state");
	t.like(first?.data, { run: { name: "spam filter" }, phases: [], end: null });
	for (let step = 1; step <= 50; step++) emitStep(events, step);
	events.emit({ event: "epoch", ...sampleLine("epoch", 50) });
	const second = await next();
	t.is(second?.event, "change");
	t.deepEqual(Object.keys(second?.data), ["epoch", "curves", "speed"]);
	t.is(second?.data.curves["steps loss"].points.length, 50);
	dashboard.showFailure(new TailtuneError("interrupted", "stopped; to resume: …"));
	await dashboard.close();
	t.deepEqual((await next())?.data, { end: { state: "stopped", message: "stopped; to resume: …" } });
	t.is(await next(), undefined);
});

test("without the token only the files of the page are sent, and they can run no other script", async (t) => {
	const { dashboard, origin, authorization } = await start(t);
	const page = await fetch(origin);
	t.is(page.status, 200);
	t.regex(
		page.headers.get("content-security-policy") ?? "",
		/default-src 'none'; script-src 'self'; style-src 'self'; /,
	);
	const scripts = [...(await page.text()).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path);
	t.deepEqual(scripts, ["/uplot.css", "/style.css", "/sweep.css", "/dashboard.css", "/uplot.js", "/main.js"]);
	for (const path of scripts) t.is((await fetch(origin + path)).status, 200);
	const json = { "content-type": "application/json" };
	for (const headers of [{}, { authorization: "Bearer wrong" }]) {
		t.is((await fetch(`${origin}/events`, { headers })).status, 401);
		for (const path of ["/cancel", "/classify"])
			t.is((await fetch(origin + path, { method: "POST", headers: { ...headers, ...json }, body: "{}" })).status, 401);
	}
	for (const path of ["/cancel", "/classify"])
		t.is((await fetch(origin + path, { method: "POST", headers: { authorization }, body: "{}" })).status, 415);
	const early = { method: "POST", headers: { authorization, ...json }, body: '{"text":"You won!"}' };
	t.is((await fetch(`${origin}/classify`, early)).status, 404, "there is no model before the end");
	t.false(dashboard.cancelled.aborted);
	await fetch(`${origin}/cancel`, { method: "POST", headers: { authorization, ...json }, body: "{}" });
	t.true(dashboard.cancelled.aborted);
	for (const path of ["/../advice.ts", "/%2e%2e/advice.ts", "/package.json"])
		t.is((await fetch(origin + path)).status, 404);
});

test("a page of another name can't read it, because the Host header must be a loopback name", async (t) => {
	const { origin, authorization } = await start(t);
	const asked = request(`${origin}/events`, { headers: { host: "attacker.example", authorization } }).end();
	const [response] = await once(asked, "response");
	t.is(response.statusCode, 403);
	response.resume();
});

test("the token and the TLS files of the environment are used, also for mutual TLS; the token isn't printed", async (t) => {
	const { caFile, certFile, keyFile } = await makeCertificates(t);
	const tokenFile = join(await newFolder(), "token");
	await writeFile(tokenFile, "of-the-team\n");
	const prefix = "TAILTUNE_DASHBOARD_";
	const env = { [`${prefix}TOKEN_FILE`]: tokenFile, [`${prefix}CERT_FILE`]: certFile };
	await t.throwsAsync(readPageSecurity(env), { code: "usage", message: /^TAILTUNE_DASHBOARD_KEY_FILE: found nothing/ });
	const security = await readPageSecurity({ ...env, [`${prefix}KEY_FILE`]: keyFile });
	const { dashboard } = await start(t, pageOptions({ security }));
	t.regex(dashboard.url, /^https:\/\/127\.0\.0\.1:\d+\/$/);
	const ca = await readFile(caFile);
	const ask = async (url: string, token: string, own: { cert?: Buffer; key?: Buffer } = {}) => {
		const headers = { authorization: `Bearer ${token}` };
		const [response] = (await once(requestTls(`${url}runs`, { ca, headers, ...own }).end(), "response")) as [
			IncomingMessage,
		];
		response.resume();
		return response.statusCode;
	};
	t.is(await ask(dashboard.url, "of-the-team"), 200);
	t.is(await ask(dashboard.url, "of-others"), 401);

	const files = { ...env, [`${prefix}KEY_FILE`]: keyFile, [`${prefix}CA_FILE`]: caFile };
	const mutual = await start(t, pageOptions({ security: await readPageSecurity(files) }));
	const own = { cert: await readFile(certFile), key: await readFile(keyFile) };
	t.is(await ask(mutual.dashboard.url, "of-the-team", own), 200);
	t.is(await ask(mutual.dashboard.url, "of-others", own), 401);
	// The server ends the connection, perhaps before the client has read why.
	const refused = { message: /alert|socket hang up|ECONNRESET/ };
	await t.throwsAsync(ask(mutual.dashboard.url, "of-the-team"), refused);
	const others = await makeCertificates(t);
	const foreign = { cert: await readFile(others.certFile), key: await readFile(others.keyFile) };
	await t.throwsAsync(ask(mutual.dashboard.url, "of-the-team", foreign), refused);
});

test("there is a limit on viewers, and one that doesn't read is disconnected", async (t) => {
	const { dashboard, origin, authorization } = await start(t);
	const ask = async () => {
		const asked = request(`${origin}/events`, { headers: { authorization } }).end();
		return ((await once(asked, "response")) as [IncomingMessage])[0];
	};
	const reading = await view(origin, authorization);
	const [slow, ...others] = await Promise.all(Array.from({ length: MOST_VIEWERS - 1 }, ask));
	t.is((await view(origin, authorization)).status, 429);
	for (const other of others) other.destroy();
	slow?.pause();
	const isGone = new Promise((resolve) => slow?.once("error", resolve).once("close", resolve));
	t.is((await reading.next())?.event, "state");
	for (let i = 0; i < 8; i++) {
		const message = String(i).repeat(3 << 20);
		dashboard.showFailure(new Error(message));
		t.true((await reading.next())?.data.end.message === message);
	}
	slow?.resume();
	await isGone;
	t.false(slow?.complete);
});

test("a finished run waits until its pages are closed, or for a signal", async (t) => {
	const { dashboard, origin, authorization } = await start(t);
	t.false(dashboard.hasViewers);
	await dashboard.waitForViewers(new AbortController().signal);
	const { next } = await view(origin, authorization);
	await next();
	t.true(dashboard.hasViewers);
	const interrupt = new AbortController();
	const waiting = dashboard.waitForViewers(interrupt.signal);
	interrupt.abort();
	await waiting;
	t.true(dashboard.hasViewers);
});

test("the default port is 7007, or the next free one; a given one must be free", async (t) => {
	const taken = createServer();
	await new Promise<void>((resolve) => taken.once("error", () => resolve()).listen(7007, "127.0.0.1", resolve));
	t.teardown(() => taken.close());
	const { dashboard } = await start(t, pageOptions({ place: undefined }));
	const port = (one: Dashboard) => Number(new URL(one.url).port);
	t.true(port(dashboard) > 7007);
	const place = { address: `127.0.0.1:${port(dashboard)}`, flag: "--dashboard" };
	await t.throwsAsync(openDashboard(new RunEvents(), pageOptions({ place })), {
		code: "usage",
		message: /^--dashboard 127\.0\.0\.1:\d+: the port is in use, expected a free one/,
	});
});
