import type { Server } from "@grpc/grpc-js";
import type { RpcService } from "../rpc/rpc-service.ts";
import { createHealth } from "./health.ts";
import { reflectionService } from "./reflection.ts";

/** Bytes of all that a client asks of reflection in one call: some hundred questions. Each answer may be 10 kB. */
const MAX_REFLECTION_BYTES = 16 << 10;

/** The services that every tool knows. */
export interface StandardServices {
	readonly services: readonly RpcService[];
	/** What probes are told. */
	setServing(isServing: boolean): void;
}

/** `grpc.health.v1.Health`, at first NOT_SERVING, and server reflection. */
export function standardServices(): StandardServices {
	const { service, setServing } = createHealth();
	const services: RpcService[] = [service];
	// It knows how to add itself to a server, and ours takes all its services at once.
	const collector: Pick<Server, "addService"> = {
		addService: (definition, handlers) => services.push({ definition, handlers, maxCallBytes: MAX_REFLECTION_BYTES }),
	};
	reflectionService().addToServer(collector);
	return { services, setServing };
}
