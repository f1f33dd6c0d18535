import { TailtuneError } from "../../shared/errors.ts";
import type { RpcSecurity } from "../../shared/settings/rpc-flags.ts";
import type { WorkerOptions } from "../../shared/worker-port.ts";
import { connectTensors } from "../exchange/grpc-worker-tensors.ts";

/**
 * Dials the coordinator that announced a run; its model is fetched from there unless it is in the cache.
 * @param coordinators HOST:PORT of those that the token may be shown to; default: whoever announces a run
 */
export function dialCoordinator(security: RpcSecurity, coordinators?: readonly string[]): WorkerOptions["connect"] {
	return async ({ tensorsAddress, modelHash }, workerId, signal) => {
		if (coordinators && !coordinators.includes(tensorsAddress)) {
			const expected = `expected ${coordinators.join(" or ")}, as --coordinator says`;
			throw new TailtuneError("denied", `the run's coordinator is at ${tensorsAddress}, ${expected}`);
		}
		const tensors = await connectTensors(tensorsAddress, { workerId, signal, ...security });
		return { tensors, openModel: () => tensors.fetchModel(modelHash), close: () => tensors.close() };
	};
}
