import { resolveModel } from "../../coordinator/base-model/resolve-model.ts";
import type { Bus, RunView } from "../../shared/bus/bus.ts";
import { connectNatsBus, type NatsBus } from "../../shared/bus/nats/nats-bus.ts";
import type { Answer } from "../../shared/exchange/tensor-exchange.ts";
import { type TensorSchema, tensorSchema } from "../../shared/exchange/tensor-schema.ts";
import type { RunSpec, WorkItem } from "../../shared/messages.ts";
import { openModel } from "../../shared/model/open-model.ts";
import { partLength } from "../../shared/updates/embedding-rows.ts";
import { someResult, someWorker } from "../shared/bus/messages.ts";

/** Connects the test to a cluster without credentials. */
export function connectClusterBus(servers: string): Promise<NatsBus> {
	return connectNatsBus({ servers, role: "worker" });
}

/** Waits until the run with this result folder has published its progress. */
export async function findRun(bus: Bus, folder: string): Promise<RunView> {
	for (;;) {
		const found = (await bus.listRuns()).find(({ progress }) => progress?.folder === folder);
		if (found) return found;
	}
}

/** An item taken by a fake worker; the run waits for its answer. */
export interface TakenItem {
	readonly item: WorkItem;
	readonly spec: RunSpec;
	readonly schema: TensorSchema;
	/** A valid answer with wrong numbers. */
	readonly answer: Answer;
	/** Signs off; the item is then delivered to another worker. */
	leave(): Promise<void>;
}

/** Joins as a worker with this id and takes an item that asks for a gradient. */
export async function takeItem(bus: Bus, folder: string, workerId: string): Promise<TakenItem> {
	const { spec } = await findRun(bus, folder);
	const schema = await readDemoSchema(spec);
	// With the engine of another worker, because other engines would not take part.
	const [there] = await bus.listWorkers();
	for (;;) {
		const { leave } = await bus.join({ ...(there ?? someWorker(workerId)), workerId });
		const { item, nak } = await firstItem(bus, spec.runId, workerId);
		if (item.kind === "WORK_KIND_GRADIENT") {
			const { runId, serial, sequences } = item;
			const result = someResult({ runId, serial, workerId });
			const logits = sequences.flatMap(() => [9, -9]);
			const answer = {
				result,
				logits,
				tensor: new Float32Array(partLength(schema.form, sequences)).fill(1),
			};
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

/** Computes the tensor schema of a run that tunes the demo model. */
async function readDemoSchema(run: RunSpec): Promise<TensorSchema> {
	const { config } = await openModel(await resolveModel("demo"));
	return tensorSchema(run, config);
}
