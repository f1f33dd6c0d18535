import test from "ava";
import fc from "fast-check";
import type { UpdatePart } from "../../../proto/gen/tailtune/v1/UpdatePart.ts";
import { tensorChunks } from "../../../shared/exchange/tensor-stream.ts";
import { fingerprintOf } from "../../../shared/vectors/fingerprint.ts";
import { settle, VirtualClock } from "../../shared/bus/virtual-clock.ts";
import { sameBits } from "../../shared/exchange/conformance.ts";
import { ServedState, smallSchema } from "./served-state.ts";

/** The time for which a worker waits for the next part of a published update. */
const SILENCE_MS = 500;

type Parts = readonly UpdatePart[];

/** A coordinator at version 3, whose updates are published, and a replica of it. */
async function join(schema = smallSchema(4)) {
	const clock = new VirtualClock();
	const served = new ServedState(schema, 2);
	await served.step();
	served.tamperPublished = (parts) => parts;
	const replica = served.replica({ clock });
	await replica.parameters(3);
	/** Whether the replica has the coordinator's bits after a request, in virtual time. */
	const isEqual = async () => {
		const reading = replica.parameters(served.version);
		await clock.advance(2 * SILENCE_MS);
		return sameBits(await reading, served.state.parameters);
	};
	return { clock, served, replica, isEqual };
}

/** Changes numbers of a published update, with their checksum. */
function withNumbers(parts: Parts, ...found: number[]): Parts {
	return parts.map((part) => {
		if (part.chunk?.byteOffset !== 0) return part;
		const numbers = new Float32Array(Uint8Array.from(part.chunk.data).buffer);
		numbers.set(found);
		return { ...part, chunk: [...tensorChunks(numbers)][0] ?? null };
	});
}

for (const [name, schema] of [
	["factors", smallSchema(4)],
	["dense gradients", smallSchema(0)],
] as const) {
	test(`${name}: published updates are applied when they arrive, and none is read from the coordinator`, async (t) => {
		const { served, replica, isEqual } = await join(schema);
		for (let i = 0; i < 20; i++) {
			await served.step(1 + (i % 4));
			await settle();
			t.is(replica.version, served.version);
			t.is(replica.fingerprint, fingerprintOf(served.state.parameters));
			if (i % 3 === 0) t.true(await isEqual());
		}
		t.deepEqual(served.calls, { states: 1, updates: 0 });
	});
}

test("a worker that computed the whole gradient gets an update without numbers, and uses its own", async (t) => {
	const { served, replica, isEqual } = await join();
	served.tamperPublished = (parts) => {
		t.deepEqual(
			parts.map(({ chunk }) => chunk?.data.length),
			[0],
		);
		// Its answer has arrived by now.
		replica.keepAnswer(served.gradient);
		return parts;
	};
	for (const texts of [1, 4, 2]) {
		await served.step(texts, true);
		await settle();
		t.is(replica.version, served.version);
		t.true(await isEqual());
	}
	t.deepEqual(served.calls, { states: 1, updates: 0 });
});

for (const [title, change] of [
	["none", () => undefined],
	["other numbers", (own: Float32Array) => own.with(1, 0.5)],
	["another length", (own: Float32Array) => own.subarray(1)],
	["numbers that aren't finite", (own: Float32Array) => own.with(1, Number.NaN)],
] as const) {
	test(`an update without numbers is read at once if the worker's own gradient is another one: ${title}`, async (t) => {
		const { clock, served, replica, isEqual } = await join();
		served.tamperPublished = (parts) => {
			replica.keepAnswer(change(served.gradient));
			return parts;
		};
		await served.step(2, true);
		await settle();
		t.is(replica.version, 3);
		t.true(sameBits(await replica.parameters(4), served.state.parameters));
		t.is(clock.now, 0);
		t.deepEqual(served.calls, { states: 1, updates: 1 });
		t.is(replica.refusedParts, 0);
		await served.step(2);
		await settle();
		t.true(await isEqual());
		t.is(served.calls.updates, 1);
	});
}

test("a request waits for an update of which parts still arrive, however long it takes", async (t) => {
	const { clock, served, replica } = await join();
	let parts: Parts = [];
	served.tamperPublished = (all) => {
		parts = all;
		return [];
	};
	await served.step(4);
	let isReached = false;
	const reading = replica.parameters(4).then(() => {
		isReached = true;
	});
	t.true(parts.length > 3);
	for (const part of parts) {
		t.false(isReached);
		await clock.advance(SILENCE_MS - 1);
		served.send(part);
	}
	await reading;
	t.deepEqual(served.calls, { states: 1, updates: 0 });
	t.is(clock.pending, 0);
});

test("an update that isn't published is read after a pause, and later ones at once, until something is published", async (t) => {
	const { clock, served, replica, isEqual } = await join();
	served.tamperPublished = () => [];
	await served.step();
	const reading = replica.parameters(4);
	await clock.advance(SILENCE_MS - 1);
	t.is(served.calls.updates, 0);
	await clock.advance(1);
	t.true(sameBits(await reading, served.state.parameters));
	await served.step();
	await replica.parameters(5);
	t.is(served.calls.updates, 2);
	served.tamperPublished = (parts) => parts;
	await served.step();
	t.true(await isEqual());
	await served.step();
	t.true(await isEqual());
	t.is(served.calls.updates, 2);
	t.is(clock.pending, 0);
});

test("without a bus each update is read at once", async (t) => {
	const { served, replica } = await join();
	served.endPublished();
	for (const version of [4, 5]) {
		await served.step();
		t.true(sameBits(await replica.parameters(version), served.state.parameters));
	}
	t.deepEqual(served.calls, { states: 1, updates: 2 });
});

/** Faults of a publication after which the update is read at once. The next one is used again. */
const gaps: [title: string, refused: number, fault: (parts: Parts) => Parts][] = [
	["lacks its first part", 1, (parts) => parts.slice(1)],
	["lacks a part", 1, (parts) => parts.toSpliced(1, 1)],
	["has a part twice", 1, (parts) => parts.toSpliced(1, 0, ...parts.slice(1, 2))],
	["has its parts in another order", 1, (parts) => parts.toReversed()],
	["has NaN", 1, (parts) => withNumbers(parts, Number.NaN)],
	["overflows", 1, (parts) => withNumbers(parts, 3e38)],
	[
		"has a damaged part",
		1,
		(parts) => parts.map((part) => ({ ...part, chunk: part.chunk && { ...part.chunk, xxh64: Buffer.alloc(8) } })),
	],
	["has an empty part", 1, (parts) => [{ header: null, chunk: null, rows: [] }, ...parts]],
	[
		"has parts of another step's texts",
		1,
		(parts) => parts.map((part, i) => ({ ...part, header: part.header && { ...part.header, texts: 1 + (i % 2) } })),
	],
	[
		"announces 4 billion texts",
		1,
		(parts) => parts.map((part) => ({ ...part, header: part.header && { ...part.header, texts: 2 ** 32 - 1 } })),
	],
	[
		"is of a later version",
		0,
		(parts) =>
			parts.map((part) => ({ ...part, header: part.header && { ...part.header, parameterVersion: 2 ** 32 - 1 } })),
	],
];

for (const [title, refused, fault] of gaps) {
	test(`a published update that ${title} isn't used: it is read without a pause`, async (t) => {
		const { clock, served, replica, isEqual } = await join();
		await served.step();
		await settle();
		served.tamperPublished = fault;
		await served.step(2);
		await settle();
		t.true(sameBits(await replica.parameters(5), served.state.parameters));
		t.deepEqual([replica.refusedParts, served.runs.refusedParts], [refused, refused]);
		t.is(clock.now, 0);
		const { updates } = served.calls;
		served.tamperPublished = (parts) => parts;
		for (let i = 0; i < 3; i++) {
			await served.step(3);
			await settle();
			t.true(await isEqual());
		}
		t.is(served.calls.updates, updates);
		t.deepEqual([replica.refusedParts, served.runs.refusedParts], [refused, refused]);
	});
}

test("a gap is noticed by the number of the next update, and filled by one call", async (t) => {
	const { clock, served, replica } = await join();
	served.tamperPublished = () => [];
	await served.step();
	served.tamperPublished = (parts) => parts;
	await served.step();
	await settle();
	t.is(replica.version, 3);
	t.true(sameBits(await replica.parameters(5), served.state.parameters));
	t.deepEqual(served.calls, { states: 1, updates: 1 });
	t.is(clock.now, 0);
});

test("an old update that is published again changes nothing", async (t) => {
	const { served, replica, isEqual } = await join();
	const old: UpdatePart[] = [];
	served.tamperPublished = (parts) => {
		const all = [...old, ...parts, ...old];
		old.push(...parts);
		return all;
	};
	for (let i = 0; i < 3; i++) {
		await served.step();
		await settle();
		t.true(await isEqual());
	}
	t.is(replica.refusedParts, 0);
	t.deepEqual(served.calls, { states: 1, updates: 0 });
});

test("a forged update is applied, but its fingerprint isn't the coordinator's; after `drop` the state is read again", async (t) => {
	const { served, replica, isEqual } = await join();
	served.tamperPublished = (parts) => withNumbers(parts, 1, 2, 3);
	await served.step();
	await settle();
	t.is(replica.version, 4);
	t.not(replica.fingerprint, fingerprintOf(served.state.parameters));
	served.tamperPublished = (parts) => parts;
	replica.drop();
	t.true(await isEqual());
	t.is(served.calls.states, 2);
});

for (const place of ["states", "updates"] as const) {
	test(`what is published while ${place} are read isn't lost: it is read without a pause`, async (t) => {
		const { clock, served, replica } = await join();
		if (place === "states") replica.drop();
		else {
			served.tamperPublished = (parts) => parts.slice(1);
			await served.step();
			await settle();
			served.tamperPublished = (parts) => parts;
		}
		let isFirst = true;
		const during = async function* <Message>(messages: AsyncIterable<Message>) {
			for await (const message of messages) {
				if (isFirst) {
					isFirst = false;
					await served.step();
					await settle();
				}
				yield message;
			}
		};
		served.tamperState = during;
		served.tamperUpdates = during;
		await replica.parameters(place === "states" ? 3 : 5);
		t.true(sameBits(await replica.parameters(served.version), served.state.parameters));
		t.is(clock.now, 0);
		await served.step();
		await settle();
		t.is(replica.version, served.version);
	});
}

test("closing a replica ends the watch of published updates", async (t) => {
	const { served, replica } = await join();
	let isWatching = true;
	const { watchUpdates } = served.source;
	const watched = served.replica({
		source: {
			...served.source,
			async *watchUpdates(signal) {
				yield* watchUpdates(signal);
				isWatching = false;
			},
		},
	});
	watched.close();
	await settle();
	t.false(isWatching);
	replica.close();
});

const faults: Record<string, (parts: Parts) => Parts> = {
	none: (parts) => parts,
	lost: () => [],
	"first part lost": (parts) => parts.slice(1),
	"last part lost": (parts) => parts.slice(0, -1),
	doubled: (parts) => [...parts, ...parts],
	"parts doubled": (parts) => parts.flatMap((part) => [part, part]),
	reordered: (parts) => parts.toReversed(),
};

test("a replica has the coordinator's bits whatever happens in between", async (t) => {
	const step = fc.record({
		texts: fc.integer({ min: 1, max: 4 }),
		isAnswer: fc.boolean(),
		fault: fc.constantFrom("none", ...Object.keys(faults)),
	});
	const events = fc.oneof(
		{ weight: 4, arbitrary: step },
		{ weight: 4, arbitrary: fc.constant("request" as const) },
		fc.constantFrom("drop" as const, "stale" as const, "settle" as const),
	);
	const property = fc.asyncProperty(fc.array(events, { maxLength: 30 }), async (happened) => {
		const { clock, served, replica, isEqual } = await join();
		for (const event of [...happened, "request" as const]) {
			if (event === "drop") replica.drop();
			else if (event === "settle") await settle();
			else if (event === "stale") await replica.parameters(served.version - 1).catch(() => {});
			else if (event !== "request") {
				const disturb = faults[event.fault] ?? (() => []);
				served.tamperPublished = (parts) => {
					replica.keepAnswer(served.gradient);
					return disturb(parts);
				};
				await served.step(event.texts, event.isAnswer);
			} else if (!(await isEqual()) || replica.fingerprint !== fingerprintOf(served.state.parameters)) return false;
		}
		replica.close();
		return clock.pending === 0;
	});
	await t.notThrowsAsync(fc.assert(property, { numRuns: 50 }) as Promise<void>);
});
