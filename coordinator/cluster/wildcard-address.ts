import { TailtuneError } from "../../shared/errors.ts";
import { splitHostPort } from "../../shared/settings/host-port.ts";

/** The expectation of an address to which workers connect, for error messages. */
export const DIALABLE = "expected an address or name of this host to which workers can connect";

/** Whether HOST:PORT means all addresses of a host. Such an address can be listened on, but not connected to. */
export function isWildcardAddress(hostPort: string): boolean {
	return /^(0\.0\.0\.0|\[::\]):\d+$/.test(hostPort);
}

/**
 * Checks that workers on other hosts can connect to the announced address.
 * @param listen value of --listen
 * @param advertise value of --advertise; default: workers connect to `listen`
 * @throws TailtuneError "usage" that names the flag
 */
export function assertDialable(listen = "", advertise?: string): void {
	if (advertise !== undefined && !splitHostPort(advertise)?.port)
		throw new TailtuneError("usage", `--advertise ${advertise}: ${DIALABLE}, as HOST:PORT`);
	if (advertise === undefined && isWildcardAddress(listen))
		throw new TailtuneError("usage", `--listen ${listen}: ${DIALABLE}, or --advertise with one`);
}
