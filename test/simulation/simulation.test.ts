import { cpSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { UpdatePart } from "../../proto/gen/tailtune/v1/UpdatePart.ts";
import type { Bus } from "../../shared/bus/bus.ts";
import type { AnswerReceiver } from "../../shared/exchange/tensor-exchange.ts";
import type { WorkResult } from "../../shared/messages.ts";
import type { StateSource } from "../../worker/exchange/state-source.ts";
import { IS_SLOW } from "../slow.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { Mutation } from "./mutation.ts";
import { RpcLink } from "./rpc-link.ts";
import { RpcServer } from "./rpc-server.ts";
import { createUndisturbed, drawSchedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";
import { Node, World } from "./world.ts";

// The others are with `npm run test:slow`.
const SCHEDULES = IS_SLOW ? 2000 : 300;

/**
 * Returns the first seed whose schedule finds a fault, and the fault.
 * @param counts receives the sums of all counted events
 * @param from the first seed
 */
async function findFault(mutation: Mutation, counts = new Map<string, number>(), from = 1) {
	for (let seed = from; seed <= SCHEDULES; seed++) {
		const outcome = await simulate(drawSchedule(seed), { mutation });
		for (const [event, count] of outcome.counts) counts.set(event, (counts.get(event) ?? 0) + count);
		if (outcome.fault !== undefined) return { seed, fault: outcome.fault };
	}
	return { seed: 0, fault: undefined };
}

test(`${SCHEDULES} schedules of faults: each run ends with the same bits, every part counted once, all replicas equal, nothing left`, async (t) => {
	const counts = new Map<string, number>();
	const { seed, fault } = await findFault({}, counts);
	t.is(fault, undefined, `npm run simulate -- --seed ${seed}`);
	for (const event of [
		...["flip bit", "REFUSAL_DIVERGED", "gap", "repeat update", "skip update"],
		...["updates read", "updates published", "published part refused", "update without numbers"],
		...["part lost", "part repeated", "part reordered"],
	])
		t.true((counts.get(event) ?? 0) > 2, `${event}: ${counts.get(event)}`);
});

test("a flipped bit of a replica is refused, and the run ends with the same bits", async (t) => {
	let diverged = 0;
	for (let seed = 1; seed <= 40; seed++) {
		const undisturbed = createUndisturbed(drawSchedule(seed).plan);
		const flip = { kind: "flip bit", worker: 0, ms: 0 } as const;
		const faults = [3_000, 5_500].map((earliestMs) => ({ ...flip, atMs: earliestMs + 50 * seed }));
		const { fault, counts } = await simulate({ ...undisturbed, seed, faults });
		t.is(fault, undefined, `seed ${seed}`);
		diverged += counts.get("REFUSAL_DIVERGED") ?? 0;
	}
	t.true(diverged > 20);
});

test("a run resumed from any of its checkpoints, with faults, ends with the same bits", async (t) => {
	for (const seed of [7, 10, 15]) {
		const schedule = drawSchedule(seed);
		const plan = { ...schedule.plan, checkpointEvery: 1 };
		const parent = await temporaryFolder(t);
		const copies: string[] = [];
		const onCheckpoint = (folder: string) => {
			const copy = join(parent, `${copies.length}`);
			cpSync(folder, copy, { recursive: true });
			copies.push(copy);
		};
		t.is((await simulate(createUndisturbed(plan), { onCheckpoint })).fault, undefined);
		t.true(copies.length > 2);
		for (const from of copies) t.is((await simulate({ ...schedule, plan }, { from })).fault, undefined, `seed ${seed}`);
	}
});

test("a call fails if the coordinator dies while it serves the call", async (t) => {
	const world = new World(1, { delayMs: 1, lost: 0, duplicated: 0, lagMs: 0, missed: 0 }, false);
	const [worker, coordinator] = [new Node("worker", world), new Node("coordinator", world)];
	const server = new RpcServer(coordinator, { onWorkerConnected: () => {}, onWorkerLost: () => {} }, {});
	let ended: unknown;
	let isServed = false;
	const answer = () => {
		isServed = true;
		return new Promise(() => {});
	};
	new RpcLink(worker, server).call(answer).catch((error) => {
		ended = error;
	});
	t.true(await world.clock.runUntil(() => isServed, 1000));
	coordinator.kill(1);
	t.true(await world.clock.runUntil(() => ended !== undefined, 60_000));
	t.like(ended, { code: "offline" });
});

test("a seed gives exactly the same trace again", async (t) => {
	for (const seed of [4, 16, 136]) {
		const [first, second] = [await trace(seed), await trace(seed)];
		t.true(first.length > 20);
		t.deepEqual(first, second);
	}
});

async function trace(seed: number): Promise<readonly string[]> {
	return (await simulate(drawSchedule(seed), { isTraced: true })).trace;
}

/** A dispatcher that counts a duplicate answer for another item. */
function countDuplicates(answers: AnswerReceiver): AnswerReceiver {
	const seen = new Set<number>();
	const renumbered = (result: WorkResult) => {
		let { serial } = result;
		while (seen.has(serial)) serial++;
		return { ...result, serial };
	};
	return {
		expect: (result, sizes) => answers.expect(renumbered(result), sizes),
		accept(answer) {
			const result = renumbered(answer.result);
			answers.accept({ ...answer, result });
			if (!result.failure?.ofWorker) seen.add(result.serial);
		},
	};
}

/** A dispatcher that isn't notified of leaving workers. */
function hideLeaving(bus: Bus): Bus {
	return {
		...bus,
		async *watchWorkers(signal) {
			for await (const event of bus.watchWorkers(signal)) if (event.type === "joined") yield event;
		},
	};
}

/** A coordinator that doesn't learn that no worker has taken an item. */
function hideUntakenItems(bus: Bus): Bus {
	return { ...bus, isTaken: async () => undefined };
}

/** A worker that acknowledges an item before it is computed. */
function acknowledgeEarly(bus: Bus): Bus {
	return {
		...bus,
		async *pull(...args) {
			for await (const delivery of bus.pull(...args)) {
				await delivery.ack();
				yield delivery;
			}
		},
	};
}

/** A replica whose updates are changed, however they arrive. */
function changeUpdates(change: (parts: AsyncIterable<UpdatePart>) => AsyncIterable<UpdatePart>) {
	return (source: StateSource): StateSource => ({
		...source,
		getUpdates: (...args) => change(source.getUpdates(...args)),
		watchUpdates: (signal) => change(source.watchUpdates(signal)),
	});
}

/** A replica that takes the numbers of the update before for those of every third update. */
async function* repeatNumbers(parts: AsyncIterable<UpdatePart>): AsyncGenerator<UpdatePart> {
	let before: UpdatePart[] = [];
	let update: UpdatePart[] = [];
	for await (const part of parts) {
		const { header, chunk } = part;
		if (chunk?.byteOffset === 0) [before, update] = [update, []];
		const kept = before[update.length]?.chunk;
		update.push(part);
		const isRepeated = header && header.parameterVersion % 3 === 0 && kept?.data.length === chunk?.data.length;
		yield { ...part, chunk: (isRepeated ? kept : undefined) ?? chunk };
	}
}

/** A replica that skips every third update, but counts it. */
async function* skipUpdates(parts: AsyncIterable<UpdatePart>): AsyncGenerator<UpdatePart> {
	for await (const part of parts) {
		const { header } = part;
		const isSkipped = header && header.parameterVersion % 3 === 0;
		const scalars = isSkipped
			? { decay: 0, vectorDecay: 0, stepSize: 0, epsilon: 1, gradientScale: 1 }
			: header?.scalars;
		yield { ...part, header: header && { ...header, scalars: scalars ?? null } };
	}
}

/** A coordinator that doesn't compare the fingerprints of answers with its own. */
function ignoreFingerprints(answers: AnswerReceiver): AnswerReceiver {
	return {
		expect: (...args) => ({ ...answers.expect(...args), version: undefined }),
		accept: (answer) => answers.accept(answer),
	};
}

const mutations: Record<string, Mutation> = {
	"a dispatcher that counts a duplicate answer for another item": { ofAnswers: countDuplicates },
	"a dispatcher that keeps the shards of a lost worker": {
		ofCoordinatorBus: (bus) => hideUntakenItems(hideLeaving(bus)),
		ignoresBrokenStreams: true,
	},
	"a coordinator that doesn't notice a worker that takes no items": { ofCoordinatorBus: hideUntakenItems },
	"a checkpoint that refers to best weights that aren't written yet": { isBestLate: true },
	"a worker that acknowledges an item before it is done": { ofWorkerBus: acknowledgeEarly },
	"a replica that applies an update again instead of the next one": { ofSource: changeUpdates(repeatNumbers) },
	"a replica that skips updates without noticing": { ofSource: changeUpdates(skipUpdates) },
	"a coordinator that accepts answers of damaged replicas": { ofAnswers: ignoreFingerprints },
};

/** A rare fault: the schedules before don't find it. */
const FIRST_SEEDS: Readonly<Record<string, number>> = {
	"a checkpoint that refers to best weights that aren't written yet": 180,
};

for (const [title, mutation] of Object.entries(mutations)) {
	test(`the schedules find ${title}`, async (t) => {
		const { fault, seed } = await findFault(mutation, undefined, FIRST_SEEDS[title]);
		t.log(`seed ${seed}`);
		t.truthy(fault);
	});
}
