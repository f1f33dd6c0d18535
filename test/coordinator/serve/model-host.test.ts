import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import test, { type ExecutionContext } from "ava";
import { pino } from "pino";
import { ModelHost } from "../../../coordinator/serve/model-host.ts";
import type { ServedModel } from "../../../coordinator/serve/served-model.ts";
import { TailtuneError } from "../../../shared/errors.ts";
import { makeRun } from "../../serve/run-folder.ts";
import { VirtualClock } from "../../shared/bus/virtual-clock.ts";

/** A host of models that are numbered in the order of their opening, after `ready`; with `broken` the next one fails. */
async function setUp(t: ExecutionContext) {
	const clock = new VirtualClock();
	const run = await makeRun();
	const ready = Promise.resolve();
	const state = { opened: 0, closed: [] as string[], looks: [] as string[], broken: false, ready };
	const open = async () => {
		const version = String(++state.opened);
		await state.ready;
		if (state.broken) throw new TailtuneError("model", "broken");
		return { version, labels: [], close: async () => state.closed.push(version) } as unknown as ServedModel;
	};
	const log = pino({ level: "silent" });
	const host = new ModelHost({ run, open, clock, log, onModel: (outcome) => state.looks.push(outcome) });
	await host.start();
	t.teardown(() => host.close());
	const until = async (isTrue: () => boolean) => {
		while (!isTrue()) await clock.advance(500);
	};
	const change = () => writeFile(join(run, "model", "config.json"), `${Math.random()}`);
	return { host, state, until, change };
}

test("a model that was replaced answers its last call before it is closed", async (t) => {
	const { host, state, until, change } = await setUp(t);
	let finish = () => {};
	const call = host.use("", ({ version }) => new Promise<string>((resolve) => (finish = () => resolve(version))));
	await change();
	await until(() => host.current?.version === "2");
	t.deepEqual(state.closed, []);
	t.is(await host.use("2", async ({ version }) => version), "2");
	await t.throwsAsync(
		host.use("1", async () => {}),
		{ code: "not-found" },
	);
	finish();
	t.is(await call, "1");
	await until(() => state.closed.length > 0);
	t.deepEqual(state.closed, ["1"]);
});

test("a model that can't be opened is tried once, and the previous one stays in use", async (t) => {
	const { host, state, until, change } = await setUp(t);
	state.broken = true;
	await change();
	await until(() => state.looks.includes("refused"));
	state.broken = false;
	t.is(host.current?.version, "1");
	await change();
	await until(() => host.current?.version !== "1");
	t.is(host.current?.version, "3");
});

test("closing doesn't wait for a model that is being opened, for example without workers; it is closed later", async (t) => {
	const { host, state, until, change } = await setUp(t);
	let finish = () => {};
	state.ready = new Promise((resolve) => (finish = resolve));
	await change();
	await until(() => state.opened === 2);
	await host.close();
	t.deepEqual(state.closed, ["1"]);
	finish();
	await until(() => state.closed.length === 2);
	t.is(host.current, undefined);
	t.deepEqual(state.looks, ["loaded"]);
});

test("a model that can't compute any more is opened again", async (t) => {
	const { host, state, until } = await setUp(t);
	host.reopen(new TailtuneError("engine", "engine thread: ended with exit code 1"));
	await until(() => host.current?.version === "2");
	t.deepEqual(state.looks, ["loaded", "loaded"]);
});
