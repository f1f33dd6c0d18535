import type { ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";

/** A gRPC service and the handlers of its calls. */
export interface RpcService {
	readonly definition: ServiceDefinition;
	readonly handlers: UntypedServiceImplementation;
	/** Whether callers need no token, for example probes of the server's health. Default: they need one. */
	readonly isOpen?: boolean;
	/** Bytes of all requests of one call together. Default: only each message has a limit. */
	readonly maxCallBytes?: number;
}
