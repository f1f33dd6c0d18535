import { EventEmitter, once } from "node:events";
import { service as definition } from "grpc-health-check";
import { TailtuneError } from "../../shared/errors.ts";
import { serverStream, unary } from "../rpc/handlers.ts";
import type { RpcService } from "../rpc/rpc-service.ts";
import { CLASSIFIER } from "./service.ts";

/** Services with a health status; the empty name means the whole server. All have the same status. */
const KNOWN: readonly string[] = ["", CLASSIFIER];

/** Most bytes of a request: longer than any service's name. */
const MAX_REQUEST_BYTES = 4 << 10;

type Status = "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

interface HealthRequest {
	readonly service: string;
}

/** The service `grpc.health.v1.Health`, which needs no token. */
export interface Health {
	readonly service: RpcService;
	/** Sets the status; at first NOT_SERVING. */
	setServing(isServing: boolean): void;
}

/**
 * Creates the health service. It keeps nothing about unknown names: the package's own service stores each name forever,
 * so that a few thousand names of 4 MB ended the server.
 */
export function createHealth(): Health {
	let status: Status = "NOT_SERVING";
	const changes = new EventEmitter().setMaxListeners(0);
	const onRefused = () => {};
	async function* watch({ service }: HealthRequest, ended: AbortSignal): AsyncGenerator<{ status: Status }> {
		if (!KNOWN.includes(service)) {
			yield { status: "SERVICE_UNKNOWN" }; // the call ends, because no service is added later
			return;
		}
		for (let sent: Status | undefined; !ended.aborted; ) {
			if (sent === status) await once(changes, "change", { signal: ended }).catch(() => {});
			else {
				sent = status;
				yield { status };
			}
		}
	}
	const handlers = {
		Check: unary(onRefused, async ({ service }: HealthRequest) => {
			if (KNOWN.includes(service)) return { status };
			throw new TailtuneError("not-found", `found service ${JSON.stringify(service)}, expected ${CLASSIFIER} or none`);
		}),
		Watch: serverStream(onRefused, watch),
		List: unary(onRefused, async () => ({ statuses: Object.fromEntries(KNOWN.map((name) => [name, { status }])) })),
	};
	const setServing = (isServing: boolean) => {
		status = isServing ? "SERVING" : "NOT_SERVING";
		changes.emit("change");
	};
	return { service: { definition, handlers, isOpen: true, maxCallBytes: MAX_REQUEST_BYTES }, setServing };
}
