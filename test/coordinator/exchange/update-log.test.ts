import test from "ava";
import { UpdateLog } from "../../../coordinator/exchange/update-log.ts";
import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Update } from "../../../shared/updates/updatable-state.ts";

const LARGE = 4 * 2 ** 20;
const gap = () => new Error("not kept");

function updateTo(version: number, length = 3): Update {
	const scalars = { decay: 0, vectorDecay: 0, stepSize: 0, epsilon: 0, gradientScale: 1 };
	return { version, texts: 1, scalars, gradient: new Float32Array(length).fill(version) };
}

function versionsOf(parts: Iterable<UpdatePart>): (number | undefined)[] {
	return Array.from(parts, ({ header }) => header?.parameterVersion);
}

test("a reader gets all updates after its version in order, also those that are added while it reads", (t) => {
	const log = new UpdateLog(5);
	log.append(updateTo(6));
	log.append(updateTo(7));
	const parts = log.after(5, gap);
	t.is(parts.next().value?.header?.parameterVersion, 6);
	log.append(updateTo(8));
	t.deepEqual(versionsOf(parts), [7, 8]);
	t.deepEqual(versionsOf(log.after(7, gap)), [8]);
	t.deepEqual(versionsOf(log.after(8, gap)), []);
});

test("an update is cut into parts, each with the header, its offset and its checksum", (t) => {
	const log = new UpdateLog(0, { partBytes: 8 });
	const parts = log.append(updateTo(1, 5));
	t.deepEqual(
		parts.map(({ header, chunk }) => [header?.parameterVersion, header?.texts, chunk?.byteOffset, chunk?.data.length]),
		[
			[1, 1, 0, 8],
			[1, 1, 8, 8],
			[1, 1, 16, 4],
		],
	);
	t.is(new Set(parts.map(({ chunk }) => chunk?.xxh64.toString("hex"))).size, 2);
	t.deepEqual([...log.after(0, gap)], parts);
	t.deepEqual(
		new UpdateLog(0).append(updateTo(1, 200_000)).map(({ chunk }) => chunk?.data.length),
		[524_288, 275_712],
	);
});

test("an update's numbers are copied, so that its array can be used again", (t) => {
	const log = new UpdateLog(0);
	const update = updateTo(1);
	log.append(update);
	update.gradient.fill(9);
	const [part] = log.after(0, gap);
	const data = Buffer.from(part?.chunk?.data ?? []);
	t.deepEqual(
		[0, 4, 8].map((at) => data.readFloatLE(at)),
		[1, 1, 1],
	);
});

test("old updates are dropped by size; who needs one gets an error, also if it reads too slowly", (t) => {
	const log = new UpdateLog(0);
	log.append(updateTo(1));
	const slow = log.after(0, gap);
	t.is(slow.next().value?.header?.parameterVersion, 1);
	for (let version = 2; version <= 12; version++) log.append(updateTo(version, LARGE));
	t.true(log.length < 8, "more than 64 MiB are kept");
	t.is(log.newest, 12);
	t.false(log.reachesFrom(1));
	t.throws(() => slow.next(), { message: "not kept" });
	t.throws(() => log.after(1, gap).next(), { message: "not kept" });
	t.throws(() => log.after(13, gap).next(), { message: "not kept" });
	t.true(log.reachesFrom(12 - log.length));
});

test("at most 64 MiB are kept, or another limit, but always the last update", (t) => {
	const log = new UpdateLog(0);
	for (let version = 1; version <= 6; version++) log.append(updateTo(version, LARGE));
	t.is(log.length, 4);
	log.append(updateTo(7, 5 * LARGE));
	t.is(log.length, 1);
	const short = new UpdateLog(0, { mostLogBytes: 30 });
	for (let version = 1; version <= 5; version++) short.append(updateTo(version));
	t.is(short.length, 2);
});

test("updates of few numbers are dropped by the number of their parts", (t) => {
	const log = new UpdateLog(0);
	for (let version = 1; version <= 70_000; version++) log.append(updateTo(version));
	t.is(log.length, 65_536);
	t.throws(() => log.after(4463, gap).next(), { message: "not kept" });
	t.is(log.after(4464, gap).next().value?.header?.parameterVersion, 4465);
});

test("a slow reader keeps no dropped update: it gets an error in the middle of one", (t) => {
	const log = new UpdateLog(0);
	log.append(updateTo(1, LARGE));
	const slow = log.after(0, gap);
	for (let i = 0; i < 5; i++) t.false(slow.next().done);
	for (let version = 2; version <= 12; version++) log.append(updateTo(version, LARGE));
	t.throws(() => slow.next(), { message: "not kept" });
});

test("a reader ends with the log", (t) => {
	const log = new UpdateLog(0, { partBytes: 4 });
	log.append(updateTo(1));
	const reader = log.after(0, gap);
	t.false(reader.next().done);
	log.close();
	t.true(reader.next().done);
});
