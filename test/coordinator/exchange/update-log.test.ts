import test from "ava";
import { UpdateLog } from "../../../coordinator/exchange/update-log.ts";
import type { FollowUpdatesResponse } from "../../../proto/gen/tailtune/v1/FollowUpdatesResponse.ts";
import type { Update } from "../../../shared/updates/updatable-state.ts";

const LARGE = 4 * 2 ** 20;
const gap = () => new Error("not kept");
const endless = new AbortController().signal;

function updateTo(version: number, length = 3): Update {
	const scalars = { decay: 0, vectorDecay: 0, stepSize: 0, epsilon: 0, gradientScale: 1 };
	return { version, texts: 1, scalars, gradient: new Float32Array(length).fill(version) };
}

/** Reads the versions of the next `count` updates. */
async function readVersions(messages: AsyncIterator<FollowUpdatesResponse>, count: number): Promise<number[]> {
	const versions: number[] = [];
	for (let ends = 0; ends < count; ) {
		const { value, done } = await messages.next();
		if (done) break;
		if (value.header) versions.push(value.header.parameterVersion);
		if (value.end) ends++;
	}
	return versions;
}

test("a follower gets all updates after its version, old and new ones, in order", async (t) => {
	const log = new UpdateLog(5);
	log.append(updateTo(6));
	log.append(updateTo(7));
	const messages = log.follow(5, endless, gap);
	t.deepEqual(await readVersions(messages, 2), [6, 7]);
	const next = readVersions(messages, 1);
	log.append(updateTo(8));
	t.deepEqual(await next, [8]);
	t.deepEqual(await readVersions(log.follow(7, endless, gap), 1), [8]);
});

test("an update's numbers are copied, so that its array can be used again", async (t) => {
	const log = new UpdateLog(0);
	const update = updateTo(1);
	log.append(update);
	update.gradient.fill(9);
	const messages = log.follow(0, endless, gap);
	await messages.next();
	const { value } = await messages.next();
	const data = Buffer.from(value?.chunk?.data ?? []);
	t.deepEqual(
		[0, 4, 8].map((at) => data.readFloatLE(at)),
		[1, 1, 1],
	);
});

test("old updates are dropped by size; who needs one gets an error, also if it followed too slowly", async (t) => {
	const log = new UpdateLog(0);
	log.append(updateTo(1));
	const slow = log.follow(0, endless, gap);
	t.deepEqual(await readVersions(slow, 1), [1]);
	for (let version = 2; version <= 12; version++) log.append(updateTo(version, LARGE));
	t.true(log.length < 8, "more than 64 MiB are kept");
	t.is(log.newest, 12);
	t.false(log.reachesFrom(1));
	await t.throwsAsync(slow.next(), { message: "not kept" });
	await t.throwsAsync(log.follow(1, endless, gap).next(), { message: "not kept" });
	await t.throwsAsync(log.follow(13, endless, gap).next(), { message: "not kept" });
	t.true(log.reachesFrom(12 - log.length));
});

test("at most 64 MiB are kept, or another limit, but always the last update", (t) => {
	const log = new UpdateLog(0);
	for (let version = 1; version <= 6; version++) log.append(updateTo(version, LARGE));
	t.is(log.length, 4);
	log.append(updateTo(7, 5 * LARGE));
	t.is(log.length, 1);
	const short = new UpdateLog(0, 30);
	for (let version = 1; version <= 5; version++) short.append(updateTo(version));
	t.is(short.length, 2);
});

test("updates of few numbers are dropped by their number, and a follower that fell behind gets an error", async (t) => {
	const log = new UpdateLog(0);
	for (let version = 1; version <= 30_000; version++) log.append(updateTo(version));
	// Three messages each.
	t.is(log.length, Math.floor(65_536 / 3));
	await t.throwsAsync(log.follow(8154, endless, gap).next(), { message: "not kept" });
	t.deepEqual(await readVersions(log.follow(8155, endless, gap), 2), [8156, 8157]);
});

test("a slow follower keeps no dropped update: it gets an error in the middle of one", async (t) => {
	const log = new UpdateLog(0);
	log.append(updateTo(1, LARGE));
	const slow = log.follow(0, endless, gap);
	for (let i = 0; i < 5; i++) t.false((await slow.next()).done);
	for (let version = 2; version <= 12; version++) log.append(updateTo(version, LARGE));
	await t.throwsAsync(slow.next(), { message: "not kept" });
});

test("a follower ends with the log, and with its signal", async (t) => {
	const log = new UpdateLog(0);
	const ended = log.follow(0, endless, gap).next();
	const stop = new AbortController();
	const stopped = log.follow(0, stop.signal, gap).next();
	stop.abort();
	await t.throwsAsync(stopped, { name: "AbortError" });
	log.close();
	t.true((await ended).done);
});
