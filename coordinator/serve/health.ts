import { EventEmitter, once } from "node:events";
import { service as definition } from "grpc-health-check";
import { TailtuneError } from "../../shared/errors.ts";
import { serverStream, unary } from "../rpc/handlers.ts";
import type { RpcService } from "../rpc/rpc-service.ts";
import { CLASSIFIER } from "./service.ts";

/** The services whose health can be asked for; the empty name means the whole server. They all have the same health. */
const KNOWN: readonly string[] = ["", CLASSIFIER];

/** Bytes of a request: the longest name of a service, and some more. */
const MAX_REQUEST_BYTES = 4 << 10;

type Status = "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";

interface HealthRequest {
	readonly service: string;
}

/** The service `grpc.health.v1.Health`, which needs no token. */
export interface Health {
	readonly service: RpcService;
	/** What probes are told; at first that the server doesn't serve. */
	setServing(isServing: boolean): void;
}

/**
 * Makes the health service. Of a name that it doesn't know nothing is kept: the package's own service remembers each name
 * for ever, so that a few thousand names of 4 MB ended the server.
 */
export function createHealth(): Health {
	let status: Status = "NOT_SERVING";
	const changes = new EventEmitter().setMaxListeners(0);
	const onRefused = () => {};
	async function* watch({ service }: HealthRequest, ended: AbortSignal): AsyncGenerator<{ status: Status }> {
		if (!KNOWN.includes(service)) {
			yield { status: "SERVICE_UNKNOWN" }; // and the call ends: services don't come later
			return;
		}
		for (let told: Status | undefined; !ended.aborted; ) {
			if (told === status) await once(changes, "change", { signal: ended }).catch(() => {});
			else {
				told = status;
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
