import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { connectNatsBus, type NatsBus } from "../../shared/bus/nats/nats-bus.ts";
import type { WorkItem, WorkResult } from "../../shared/messages.ts";
import { someResult, someWorker } from "../shared/bus/messages.ts";

/** A bus of the test's own on a cluster that lets anybody in. */
export function connectClusterBus(servers: string): Promise<NatsBus> {
	return connectNatsBus({ servers, role: "worker" });
}

/** The run that leaves its result in a folder, once its coordinator has told so. */
export async function runIn(bus: Bus, folder: string): Promise<RunView> {
	for (;;) {
		const found = (await bus.listRuns()).find(({ progress }) => progress?.folder === folder);
		if (found) return found;
	}
}

/** What a worker of the test's own has in hand: the run waits for it. */
export interface TakenItem {
	readonly item: WorkItem;
	/** An answer that fits it. */
	readonly result: WorkResult;
	/** Says good-bye; the item comes again to somebody else. */
	leave(): Promise<void>;
}

/** Joins as that worker and waits for an item to compute a gradient of. */
export async function takeItem(bus: Bus, folder: string, workerId: string): Promise<TakenItem> {
	const { spec } = await runIn(bus, folder);
	for (;;) {
		const { leave } = await bus.join(someWorker(workerId));
		const { item, nak } = await firstItem(bus, spec.runId, workerId);
		if (item.kind === "WORK_KIND_GRADIENT") {
			const { sequences, ...name } = item;
			const logits = sequences.flatMap(() => [0, 0]);
			return { item, leave, result: someResult({ ...name, workerId, logits }) };
		}
		await leave();
		await nak();
	}
}

async function firstItem(bus: Bus, runId: string, workerId: string) {
	const signal = new AbortController().signal;
	for await (const { shard, workerId: holder } of bus.watchAssignments(runId, signal)) {
		if (holder === workerId) for await (const delivery of bus.pull(runId, shard, signal)) return delivery;
	}
	throw new Error(`${workerId} got no item`);
}
