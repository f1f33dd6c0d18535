import { TailtuneError } from "../errors.ts";

/** The expectation of an address, for error messages. */
export const HOST_PORT = "expected HOST:PORT, for example 127.0.0.1:50051";

/** Splits HOST:PORT; an IPv6 address is in brackets. Returns undefined if the text has another form. */
export function splitHostPort(text: string): { host: string; port: number } | undefined {
	const [, host, port] = /^(\[[^\s[\]]+\]|[^\s:/[\]]+):(\d{1,5})$/.exec(text) ?? [];
	return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

/** Whether only this machine can reach HOST:PORT. */
export function isLoopback(address: string): boolean {
	return /^(127\.\d+\.\d+\.\d+|\[::1\]|localhost):\d+$/.test(address);
}

/**
 * Returns a function that checks the value of a flag when the command line is parsed, so before anything begins. Commas
 * may separate several addresses if `isList`.
 * @throws TailtuneError "usage", by the returned function, that names the flag, if an address isn't HOST:PORT
 */
export function createAddressCheck(flag: string, { isList = false } = {}): (text: string) => string {
	return (text) => {
		for (const address of isList ? text.split(",") : [text]) {
			if (!splitHostPort(address)) throw new TailtuneError("usage", `${flag}: found "${address}", ${HOST_PORT}`);
		}
		return text;
	};
}
