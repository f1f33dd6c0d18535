import { TailtuneError } from "../../shared/errors.ts";
import type { RpcSecurity } from "../../shared/settings/rpc-flags.ts";
import type { WorkerOptions } from "../../shared/worker-port/running-worker.ts";
import { connectTensors } from "../exchange/grpc-worker-tensors.ts";

/**
 * Returns a function that connects to the coordinator of a run; the model is fetched from there unless it is in the
 * cache.
 * @param coordinators HOST:PORT of the coordinators that may receive the token; default: any that announces a run
 */
export function dialCoordinator(security: RpcSecurity, coordinators?: readonly string[]): WorkerOptions["connect"] {
	return async ({ tensorsAddress, modelHash }, workerId, signal) => {
		if (coordinators && !coordinators.includes(tensorsAddress)) {
			const expected = `expected ${coordinators.join(" or ")} (--coordinator)`;
			throw new TailtuneError("denied", `the run's coordinator is at ${tensorsAddress}, ${expected}`);
		}
		const tensors = await connectTensors(tensorsAddress, { workerId, signal, ...security });
		return { tensors, openModel: () => tensors.fetchModel(modelHash), close: () => tensors.close() };
	};
}
