import type { Server } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { RpcService } from "../../shared/rpc/server.ts";
import { reflectionService } from "./reflection.ts";
import { CLASSIFIER } from "./service.ts";

/** The services that every tool knows. */
export interface StandardServices {
	readonly services: readonly RpcService[];
	/** What probes are told. */
	setServing(isServing: boolean): void;
}

/** `grpc.health.v1.Health`, at first NOT_SERVING, and server reflection. */
export function standardServices(): StandardServices {
	const services: RpcService[] = [];
	// Both know how to add themselves to a server, and ours takes all its services at once.
	const collector: Pick<Server, "addService"> = {
		addService: (definition, handlers) => services.push({ definition, handlers }),
	};
	const health = new HealthImplementation();
	const setServing = (isServing: boolean) => {
		for (const service of ["", CLASSIFIER]) health.setStatus(service, isServing ? "SERVING" : "NOT_SERVING");
	};
	setServing(false);
	health.addToServer(collector);
	reflectionService().addToServer(collector);
	return { services, setServing };
}
