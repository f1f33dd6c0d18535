/** The expectation of an address to which workers connect, for error messages. */
export const DIALABLE = "expected an address or name of this host to which workers can connect";

/** Whether HOST:PORT means all addresses of a host. Such an address can be listened on, but not connected to. */
export function isWildcardAddress(hostPort: string): boolean {
	return /^(0\.0\.0\.0|\[::\]):\d+$/.test(hostPort);
}
