import { cpSync } from "node:fs";
import { join } from "node:path";
import test from "ava";
import type { Bus } from "../../shared/bus/bus.ts";
import type { AnswerReceiver } from "../../shared/exchange/tensor-exchange.ts";
import type { WorkResult } from "../../shared/messages.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import type { Mutation } from "./mutation.ts";
import { createUndisturbed, drawSchedule } from "./schedule.ts";
import { type Outcome, simulate } from "./simulate.ts";

const SCHEDULES = 1000;

/** Returns the first seed whose schedule finds a fault, with its outcome. */
async function findFault(mutation: Mutation): Promise<{ seed: number } & Partial<Outcome>> {
	for (let seed = 1; seed <= SCHEDULES; seed++) {
		const outcome = await simulate(drawSchedule(seed), { mutation });
		if (outcome.fault !== undefined) return { seed, ...outcome };
	}
	return { seed: 0 };
}

test(`${SCHEDULES} schedules of faults: each run ends with the same bits, every part counted once, nothing left`, async (t) => {
	const { seed, fault } = await findFault({});
	t.is(fault, undefined, `npm run simulate -- --seed ${seed}`);
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

const mutations: Record<string, Mutation> = {
	"a dispatcher that counts a duplicate answer for another item": { ofAnswers: countDuplicates },
	"a dispatcher that keeps the shards of a lost worker": {
		ofCoordinatorBus: (bus) => hideUntakenItems(hideLeaving(bus)),
		ignoresBrokenStreams: true,
	},
	"a coordinator that doesn't notice a worker that takes no items": { ofCoordinatorBus: hideUntakenItems },
	"a checkpoint that refers to best weights that aren't written yet": { isBestLate: true },
	"a worker that acknowledges an item before it is done": { ofWorkerBus: acknowledgeEarly },
};

for (const [title, mutation] of Object.entries(mutations)) {
	test(`the schedules find ${title}`, async (t) => {
		const { fault } = await findFault(mutation);
		t.truthy(fault);
	});
}
