import type { Server } from "@grpc/grpc-js";
import type { RpcService } from "../rpc/rpc-service.ts";
import { createHealth } from "./health.ts";
import { reflectionService } from "./reflection.ts";

/** Most bytes of a client's requests in one reflection call: about a hundred requests. Each answer may be 10 kB. */
const MAX_REFLECTION_BYTES = 16 << 10;

/** The services that common gRPC tools use. */
export interface StandardServices {
	readonly services: readonly RpcService[];
	/** Sets the health status. */
	setServing(isServing: boolean): void;
}

/** Creates `grpc.health.v1.Health`, at first NOT_SERVING, and server reflection. */
export function standardServices(): StandardServices {
	const { service, setServing } = createHealth();
	const services: RpcService[] = [service];
	// The library can only add itself to a server, and ours takes all services at once, so this object collects them.
	const collector: Pick<Server, "addService"> = {
		addService: (definition, handlers) => services.push({ definition, handlers, maxCallBytes: MAX_REFLECTION_BYTES }),
	};
	reflectionService().addToServer(collector);
	return { services, setServing };
}
