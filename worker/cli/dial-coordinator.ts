import type { Bus } from "../../shared/bus/bus.ts";
import { TailtuneError } from "../../shared/errors.ts";
import type { RpcSecurity } from "../../shared/settings/rpc-flags.ts";
import type { WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import { connectTensors } from "../exchange/grpc-worker-tensors.ts";

export interface DialOptions {
	/** HOST:PORT of the coordinators that may receive the token. Default: any that announces a run. */
	readonly coordinators?: readonly string[] | undefined;
	/** Threads that apply updates. Default: 1. */
	readonly threads?: number | undefined;
	/** Bus on which updates are published. Default: none, each update is read from the coordinator. */
	readonly bus?: Pick<Bus, "watchUpdates"> | undefined;
}

/**
 * Returns a function that connects to the coordinator of a run; the model is fetched from there unless it is in the
 * cache.
 */
export function dialCoordinator(security: RpcSecurity, options: DialOptions = {}): WorkerOptions["connect"] {
	const { coordinators, threads, bus } = options;
	return async ({ tensorsAddress, modelHash }, workerId, signal) => {
		if (coordinators && !coordinators.includes(tensorsAddress)) {
			const expected = `expected ${coordinators.join(" or ")} (--coordinator)`;
			throw new TailtuneError("denied", `the run's coordinator is at ${tensorsAddress}, ${expected}`);
		}
		const tensors = await connectTensors(tensorsAddress, { workerId, signal, threads, bus, ...security });
		return { tensors, openModel: () => tensors.fetchModel(modelHash), close: () => tensors.close() };
	};
}
