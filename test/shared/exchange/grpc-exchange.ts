import {
	serveTensors,
	type TensorServer,
	type TensorServiceOptions,
} from "../../../coordinator/exchange/grpc-coordinator-tensors.ts";
import { type ConnectedTensors, connectTensors } from "../../../worker/exchange/grpc-worker-tensors.ts";

export interface GrpcExchange {
	readonly coordinator: TensorServer;
	readonly worker: ConnectedTensors;
	close(): Promise<void>;
}

/** Starts a server on a free port of this machine, with one connected worker. */
export async function openGrpcExchange(options: TensorServiceOptions = {}): Promise<GrpcExchange> {
	const coordinator = await serveTensors(options);
	const worker = await connectTensors(coordinator.address, { workerId: "worker" });
	const close = async () => {
		await worker.close();
		await coordinator.close();
	};
	return { coordinator, worker, close };
}
