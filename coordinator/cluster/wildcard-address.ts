/** What is expected where workers have to dial an address. */
export const DIALABLE = "expected the address or name under which workers find this host";

/** Whether HOST:PORT stands for every address of a host: to be listened on, but not to be dialled. */
export function isEveryAddress(hostPort: string): boolean {
	return /^(0\.0\.0\.0|\[::\]):\d+$/.test(hostPort);
}
