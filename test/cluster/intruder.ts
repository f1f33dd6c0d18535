import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { connectNatsBus, type NatsBus } from "../../shared/bus/nats/nats-bus.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import { type TensorSchema, tensorSchema, travelOf } from "../../shared/exchange/tensor-schema.ts";
import type { RunSpec, TailSpec, WorkItem } from "../../shared/messages.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { parameterLayout } from "../../shared/model/parameter-layout.ts";
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
	readonly spec: RunSpec;
	readonly schema: TensorSchema;
	/** An answer that fits it, with wrong numbers. */
	readonly answer: Answer;
	/** Says good-bye; the item comes again to somebody else. */
	leave(): Promise<void>;
}

/** Joins as that worker and waits for an item to compute a gradient of. */
export async function takeItem(bus: Bus, folder: string, workerId: string): Promise<TakenItem> {
	const { spec } = await runIn(bus, folder);
	const schema = await demoSchema(spec);
	// With the engine of a worker that is there: others take no part.
	const [there] = await bus.listWorkers();
	for (;;) {
		const { leave } = await bus.join({ ...(there ?? someWorker(workerId)), workerId });
		const { item, nak } = await firstItem(bus, spec.runId, workerId);
		if (item.kind === "WORK_KIND_GRADIENT") {
			const { runId, serial, sequences } = item;
			const result = someResult({ runId, serial, workerId });
			const logits = sequences.flatMap(() => [9, -9]);
			const answer = { result, logits, tensor: new Float32Array(schema.gradients).fill(1) };
			return { item, spec, schema, leave, answer };
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

/** What tensors of a run that tunes the demo model look like. */
async function demoSchema(run: RunSpec): Promise<TensorSchema> {
	const { config } = await openModel(await resolveModel("demo"));
	return tensorSchema(run.modelHash, parameterLayout(run.tail as TailSpec, config), travelOf(run));
}
