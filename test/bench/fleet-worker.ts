import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { connectNatsBus } from "../../shared/bus/nats/nats-bus.ts";
import { UpdatableState } from "../../shared/updates/updatable-state.ts";
import type { WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import { connectTensors } from "../../worker/exchange/grpc-worker-tensors.ts";
import { newWorkerId, startWorker } from "../../worker/run/lifecycle.ts";
import { describeTimedEngines, openTimedEngines } from "./fleet-engines.ts";
import { answerRequests } from "./fleet-process.ts";
import { type FleetSettings, sizesOnly } from "./fleet-settings.ts";

/** Requests to a worker of a fleet: join, prepare for a run, or tell the bytes so far. */
export type WorkerRequest = { readonly nats: string } | { readonly next: FleetSettings } | { readonly bytes: true };

/** Bytes that a worker has sent and received: payload of TCP. */
export interface WorkerBytes {
	readonly tensors: number;
	readonly bus: number;
}

let settings: FleetSettings | undefined;
let natsPort = 0;
const sockets = new Set<Socket>();
subscribe("net.client.socket", (message) => sockets.add((message as { socket: Socket }).socket));

const { apply } = UpdatableState.prototype;
// On hosts of their own, workers apply updates at the same time; here all of them share the cores.
UpdatableState.prototype.apply = function (update, threads) {
	return settings?.applies === false || apply.call(this, update, threads);
};

answerRequests<WorkerRequest>(async (request) => {
	if ("next" in request) settings = request.next;
	else if ("nats" in request) await join(request.nats);
	else return countBytes();
	return "done";
});

async function join(nats: string): Promise<void> {
	natsPort = Number(new URL(nats).port);
	const bus = await connectNatsBus({ servers: nats, role: "worker" });
	const connect: WorkerOptions["connect"] = async ({ tensorsAddress }, workerId, signal) => {
		const tensors = await connectTensors(tensorsAddress, { workerId, signal, bus });
		return { tensors, openModel: async () => sizesOnly(current().size), close: () => tensors.close() };
	};
	const engine = { engine: "onnx", backend: "auto", threads: 1 } as const;
	await startWorker(
		{ bus, connect, engine, featureMemoryBytes: 2 ** 28 },
		{
			workerId: newWorkerId(),
			describeEngines: describeTimedEngines,
			openEngines: async (model, tail) => openTimedEngines(model, tail, current().gpuMs),
		},
	);
}

function current(): FleetSettings {
	if (!settings) throw new Error("a run began before its settings were known");
	return settings;
}

function countBytes(): WorkerBytes {
	const bytes = { tensors: 0, bus: 0 };
	for (const socket of sockets)
		bytes[socket.remotePort === natsPort ? "bus" : "tensors"] += socket.bytesRead + socket.bytesWritten;
	return bytes;
}
